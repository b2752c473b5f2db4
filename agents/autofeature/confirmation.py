"""The last word on a bundle of changes: on seeds that no trial had, and on test rows, which are looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from agents.autofeature.changes import Change, changed
from agents.autofeature.costs import Cost, measured
from agents.autofeature.effects import Gain, compared
from agents.autofeature.trainer import Incumbent, Trained, Trainer
from agents.autofeature.trials import BASE, Economy
from agents.compare import truth_of
from agents.strict import Strict
from sandboxes.kit.data.spec import TableSpec

Verdict = Literal["adopted", "not adopted", "nothing to adopt"]


class Confirmation(Strict):
    """What came of the bundle: `gain` on test with the interval, what it costs more (or less), and the sentence of the verdict.

    `auc_before` and `auc_after` are means over seeds on test.
    """

    verdict: Verdict
    changes: tuple[Change, ...]
    reason: str
    gain: Gain | None = None
    cost: Cost | None = None
    worth: float = 0.0
    auc_before: float | None = None
    auc_after: float | None = None
    jobs: tuple[str, ...] = ()


def confirmed(
    trainer: Trainer,
    spec: TableSpec,
    changes: Sequence[Change],
    incumbent: Incumbent,
    seeds: Sequence[int],
    economy: Economy,
) -> Confirmation:
    """Whether all changes together hold what the trials promised. Raises as `Trainer.train` does."""
    if not changes:
        return Confirmation(verdict="nothing to adopt", changes=(), reason="no change was kept")
    pair = {BASE: spec, "changed": changed(spec, changes)}
    base, after = trainer.train(pair, incumbent, seeds, ("valid", "test")).values()
    blank = Confirmation(verdict="not adopted", changes=tuple(changes), reason="", jobs=(*base.jobs, *after.jobs))
    if failure := base.failure or after.failure:
        return blank.model_copy(update={"reason": f"it could not be confirmed: {failure}"})
    with TemporaryDirectory() as folder:
        costs = measured([base, after], trainer.source, Path(folder))
    cost = costs[1].minus(costs[0])
    adds = any(change.kind == "add" for change in changes)
    worth = economy.worth("gain" if adds else "saving", cost)
    found = compared(after, base, "test", margin=max(-worth, 0.0))
    said = {
        "gain": found.gain,
        "cost": cost,
        "worth": worth,
        "auc_before": _mean_auc(base),
        "auc_after": _mean_auc(after),
    }
    if found.gain is None:
        return blank.model_copy(update={**said, "reason": f"it could not be confirmed: {found.failure}"})
    holds = (found.gain.low > 0 and found.gain.value >= worth) if adds else found.gain.low > worth
    return blank.model_copy(
        update={**said, "verdict": "adopted" if holds else "not adopted", "reason": _why(holds, adds, found.gain, worth)}
    )


def _why(holds: bool, adds: bool, gain: Gain, worth: float) -> str:
    if adds:
        return f"on test it gains {gain.in_words}, and {'' if holds else 'an interval above 0 and '}{worth:.4f} is needed"
    said = "loses less" if holds else "may lose more"
    return f"on test it {said} than the {-worth:.4f} that may be lost: {gain.in_words}"


def _mean_auc(trained: Trained) -> float:
    truth = truth_of(trained.prepared, "test")
    runs = trained.predictions("test")
    return sum(truth.primary(p) for p in runs) / len(runs)
