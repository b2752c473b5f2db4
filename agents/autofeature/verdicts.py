"""Which of the tried changes to keep: at a false discovery rate, and only what pays for itself."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autofeature.changes import Change
from agents.autofeature.discoveries import discovered
from agents.autofeature.effects import Gain
from agents.autofeature.trials import Economy, Trial
from agents.strict import Strict


class Judged(Strict):
    """Whether a trial's changes are kept, and why, in a sentence."""

    name: str
    kept: bool
    reason: str


def judged(trials: Sequence[Trial], economy: Economy) -> list[Judged]:
    """A verdict on each trial.

    Gains are one family of tests at the false discovery rate, savings another. Idle fields have what all methods say against them
    already: they go unless their trial speaks for them, since a feature has to earn its place.
    """
    found: dict[str, bool] = {}
    for aim in ("gain", "saving"):
        own = [t for t in trials if t.aim == aim]
        found |= dict(zip([t.name for t in own], discovered([t.p for t in own], economy.rate), strict=True))
    return [_verdict(t, found.get(t.name, False), economy) for t in trials]


def _verdict(t: Trial, shown: bool, economy: Economy) -> Judged:
    if t.gain is None:
        return Judged(name=t.name, kept=False, reason=f"it could not be tried: {t.failure}")
    kept, why = _weighed(t, t.gain, shown, economy)
    return Judged(name=t.name, kept=kept, reason=f"{why}: {t.gain.in_words}")


def _weighed(t: Trial, gain: Gain, shown: bool, economy: Economy) -> tuple[bool, str]:
    if t.aim == "saving":
        return shown, f"it {'loses less' if shown else 'may lose more'} than the {-t.worth:.4f} that may be lost"
    if t.aim == "idle":
        missed = speaks_for(gain, t.worth)
        return (
            not missed,
            "they are missed" if missed else "every method finds them idle, and their trial does not speak for them",
        )
    if not shown or gain.low <= 0:
        return False, f"no gain is shown at a false discovery rate of {economy.rate:g}"
    if gain.value < t.worth:
        return False, f"the gain does not pay for it, {t.worth:.4f} is needed"
    return True, f"the gain is shown and pays, {t.worth:.4f} is needed"


def speaks_for(gain: Gain, worth: float) -> bool:
    """Whether the trial of dropping fields says that they should stay: more is lost than may be, by more than an error."""
    return gain.value + gain.standard_error < worth


def bundle(trials: Sequence[Trial], verdicts: Sequence[Judged]) -> tuple[Change, ...]:
    """All changes that are kept, together; of the bundles of idle fields, which hold one another, the largest."""
    kept = {v.name for v in verdicts if v.kept}
    own = [t for t in trials if t.name in kept]
    idle = max((t.changes for t in own if t.aim == "idle"), key=len, default=())
    return (*(c for t in own if t.aim != "idle" for c in t.changes), *idle)
