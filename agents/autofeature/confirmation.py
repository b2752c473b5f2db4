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
from agents.autofeature.trials import BASE, Aim, Economy
from agents.autofeature.verdicts import speaks_for
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
    aim = aim_of(changes)
    worth = economy.worth(aim, cost)
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
    holds, why = _holds(aim, found.gain, worth)
    return blank.model_copy(
        update={**said, "verdict": "adopted" if holds else "not adopted", "reason": f"on test {why}: {found.gain.in_words}"}
    )


def aim_of(changes: Sequence[Change]) -> Aim:
    """What a bundle is for, by the one of its changes that must show most."""
    kinds = {c.kind for c in changes}
    return "gain" if "add" in kinds else "saving" if kinds & {"hash", "share"} else "idle"


def _holds(aim: Aim, gain: Gain, worth: float) -> tuple[bool, str]:
    if aim == "gain":
        holds = gain.low > 0 and gain.value >= worth
        return holds, f"the gain is {'shown' if holds else 'not shown or too small'}, {worth:.4f} is needed"
    if aim == "saving":
        holds = gain.low > worth
        return holds, f"it {'loses less' if holds else 'may lose more'} than the {-worth:.4f} that may be lost"
    missed = speaks_for(gain, worth)
    return not missed, "what was idle is missed" if missed else "what was idle is not missed"


def _mean_auc(trained: Trained) -> float:
    truth = truth_of(trained.prepared, "test")
    runs = trained.predictions("test")
    return sum(truth.primary(p) for p in runs) / len(runs)
