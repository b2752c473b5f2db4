"""What the paper claims beside what was measured: two improvements, comparable only on the same data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from agents.autotrain.spec import Claim
from agents.compare.comparison import BaselineRow, Comparison
from agents.compare.metric import MEASURES
from agents.strict import Strict

Means = Mapping[str, Mapping[str, float]]  # each model's mean test scores over seeds, by model and metric


class ClaimRow(Strict):
    """One claim with the measured counterpart, if there is one. Improvements are relative, 0.01 being one percent.

    For log loss an improvement is a decrease; both are positive when the method is the better one.
    """

    dataset: str
    metric: str
    baseline: str
    claimed: float
    measured: float | None
    measured_against: str
    same_dataset: bool
    sentence: str


def beside_claims(
    claims: Sequence[Claim], comparison: Comparison, means: Means, dataset: str, synthetic: bool = False
) -> tuple[ClaimRow, ...]:
    """Rows for all claims that name a baseline's value, in a metric that was measured here with the same cutoff.

    `means` holds the candidate first. A claim against a baseline that was trained here is set beside that one, any other
    beside the strongest.
    """
    rows = []
    for claim in claims:
        metric = _metric(claim.metric)
        if metric in comparison.question.scores and claim.baseline_value:
            claimed = _sign(metric) * (claim.value - claim.baseline_value) / claim.baseline_value
            rows.append(_row(claim, metric, claimed, comparison, means, dataset, synthetic))
    return tuple(rows)


def _row(
    claim: Claim, metric: str, claimed: float, comparison: Comparison, means: Means, dataset: str, synthetic: bool
) -> ClaimRow:
    row, words = _counterpart(claim.baseline, comparison), MEASURES[metric].words
    measured = _measured(row, metric, means)
    same = not synthetic and _plain(claim.dataset) == _plain(dataset)
    over, where = claim.baseline or "its baseline", claim.dataset or "its data"
    text = f"the paper claims {claimed:+.2%} in {words} over {over} on {where}"
    if row is None or measured is None:
        text += "; nothing was measured to set beside it"
    else:
        text += f"; measured here: {measured:+.2%} over {row.baseline} on {dataset}{' (synthetic)' if synthetic else ''}"
        text += "" if same else ", another data set, so the two are not comparable"
    return ClaimRow(
        dataset=claim.dataset,
        metric=words,
        baseline=claim.baseline,
        claimed=claimed,
        measured=measured,
        measured_against=row.baseline if row is not None and measured is not None else "",
        same_dataset=same,
        sentence=text,
    )


def _counterpart(name: str, comparison: Comparison) -> BaselineRow | None:
    named = next((r for r in comparison.rows if r.effects and _plain(r.baseline) == _plain(name)), None)
    return named or comparison.row(comparison.strongest)


def _measured(row: BaselineRow | None, metric: str, means: Means) -> float | None:
    """The candidate's improvement over a baseline that it was compared with, which has the same seeds."""
    if row is None or not row.effects:
        return None
    own, base = next(iter(means.values()), {}).get(metric), means.get(row.baseline, {}).get(metric)
    return _sign(metric) * (own - base) / base if own is not None and base else None


def _sign(metric: str) -> int:
    return 1 if MEASURES[metric].higher_is_better else -1


def _metric(name: str) -> str:
    """The metric of that name, cutoff included; "" for one that is not measured here."""
    plain = re.sub(r"^(?:hr|hits?|hitratio)(?=\d)", "hitrate", _plain(name))
    return _BY_WORDS.get(plain, "")


def _plain(name: str) -> str:
    """Letters and digits only, so that "DCN-V2" is "dcnv2" and "MovieLens 1M" is "movielens1m"."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


# By the plain words of the measures, and by other words that papers have for the same.
_BY_WORDS: Mapping[str, str] = MappingProxyType(
    {_plain(measure.words): name for name, measure in MEASURES.items()}
    | dict.fromkeys(("rocauc", "aucroc"), "auc")
    | dict.fromkeys(("crossentropy", "binarycrossentropy", "bce"), "log_loss")
)
