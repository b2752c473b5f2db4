"""Which of the tried changes to keep: at a false discovery rate, and only what pays for itself."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autofeature.changes import Change
from agents.autofeature.discoveries import discovered
from agents.autofeature.trials import Economy, Trial
from agents.strict import Strict


class Judged(Strict):
    """Whether a trial's changes are kept, and why, in a sentence."""

    name: str
    kept: bool
    reason: str


def judged(trials: Sequence[Trial], economy: Economy) -> list[Judged]:
    """A verdict on each trial. Gains are one family of tests, savings another."""
    found: dict[str, bool] = {}
    for aim in ("gain", "saving"):
        own = [t for t in trials if t.aim == aim]
        found |= dict(zip([t.name for t in own], discovered([t.p for t in own], economy.rate), strict=True))
    return [_verdict(t, found[t.name], economy) for t in trials]


def _verdict(t: Trial, shown: bool, economy: Economy) -> Judged:
    if t.gain is None:
        return Judged(name=t.name, kept=False, reason=f"it could not be tried: {t.failure}")
    said = t.gain.in_words
    if t.aim == "saving":
        why = f"loses less than the {-t.worth:.4f} that may be lost" if shown else f"may lose more than {-t.worth:.4f}"
        return Judged(name=t.name, kept=shown, reason=f"{why}: {said}")
    if not shown or t.gain.low <= 0:
        return Judged(name=t.name, kept=False, reason=f"no gain is shown at a false discovery rate of {economy.rate:g}: {said}")
    if t.gain.value < t.worth:
        return Judged(name=t.name, kept=False, reason=f"the gain does not pay for it ({t.worth:.4f} is needed): {said}")
    return Judged(name=t.name, kept=True, reason=f"it gains {said}, and {t.worth:.4f} is needed")


def bundle(trials: Sequence[Trial], verdicts: Sequence[Judged]) -> tuple[Change, ...]:
    """All changes that are kept, together: every gain, and the largest of the bundles of savings."""
    kept = {v.name for v in verdicts if v.kept}
    gains = [c for t in trials if t.aim == "gain" and t.name in kept for c in t.changes]
    savings = max((t.changes for t in trials if t.aim == "saving" and t.name in kept), key=len, default=())
    return (*gains, *savings)
