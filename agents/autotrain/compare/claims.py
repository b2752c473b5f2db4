"""What the paper claims beside what was measured: two improvements, comparable only on the same data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agents.autotrain.compare.comparison import BaselineRow, Comparison
from agents.autotrain.compare.paired import Metric
from agents.autotrain.compare.verdict import METRIC_NAMES
from agents.autotrain.spec import Claim, Strict


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
    claims: Sequence[Claim],
    comparison: Comparison,
    baseline_values: Mapping[tuple[str, Metric], float],
    dataset: str,
    synthetic: bool = False,
) -> tuple[ClaimRow, ...]:
    """Rows for all claims in AUC or log loss that name a baseline's value; the others claim no improvement.

    `baseline_values` holds each baseline's mean test metric over seeds by (baseline, metric). A claim against a baseline
    that was trained here is set beside that one, any other beside the strongest.
    """
    rows = []
    for claim in claims:
        metric, claimed = _metric(claim.metric), _improvement(claim)
        if metric is not None and claimed is not None:
            rows.append(_row(claim, metric, claimed, comparison, baseline_values, dataset, synthetic))
    return tuple(rows)


def _row(
    claim: Claim,
    metric: Metric,
    claimed: float,
    comparison: Comparison,
    values: Mapping[tuple[str, Metric], float],
    dataset: str,
    synthetic: bool,
) -> ClaimRow:
    row = _counterpart(claim.baseline, comparison)
    measured = _measured(row, metric, values)
    same = not synthetic and _plain(claim.dataset) == _plain(dataset)
    over, where = claim.baseline or "its baseline", claim.dataset or "its data"
    text = f"the paper claims {claimed:+.2%} in {METRIC_NAMES[metric]} over {over} on {where}"
    if row is None or measured is None:
        text += "; nothing was measured to set beside it"
    else:
        text += f"; measured here: {measured:+.2%} over {row.baseline} on {dataset}{' (synthetic)' if synthetic else ''}"
        text += "" if same else ", another data set, so the two are not comparable"
    return ClaimRow(
        dataset=claim.dataset,
        metric=METRIC_NAMES[metric],
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


def _measured(row: BaselineRow | None, metric: Metric, values: Mapping[tuple[str, Metric], float]) -> float | None:
    if row is None or not row.effects:
        return None
    effect = next((e for e in row.effects if e.metric == metric and e.task == row.effects[0].task), None)
    base = values.get((row.baseline, metric))
    return None if effect is None or not base else _sign(metric) * effect.estimate / base


def _improvement(claim: Claim) -> float | None:
    if not claim.baseline_value:
        return None
    metric = _metric(claim.metric)
    return None if metric is None else _sign(metric) * (claim.value - claim.baseline_value) / claim.baseline_value


def _sign(metric: Metric) -> int:
    return 1 if metric == "auc" else -1


def _metric(name: str) -> Metric | None:
    plain = _plain(name)
    if plain in {"auc", "rocauc", "aucroc"}:
        return "auc"
    return "log_loss" if plain in {"logloss", "crossentropy", "binarycrossentropy", "bce"} else None


def _plain(name: str) -> str:
    """Letters and digits only, so that "DCN-V2" is "dcnv2" and "MovieLens 1M" is "movielens-1m"."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
