"""Judging: the quality gained over what stands for each unit of compute, one unit being what the training of what stands took.

A gain is divided by compute and a loss multiplied, so that the cheaper of two equal gains, and of two equal losses, is the better
one, and the sign of an interval is that of the gain's.
"""

from __future__ import annotations

from collections.abc import Mapping

from agents.contract import Feedback, Measured, Outcome

# Below a quarter of what stands, most of the seconds are the start of a sandbox, which says nothing of the model; without a
# bound, a trifle gained at no cost would count more than any real gain.
LEAST_COMPUTE = 0.25
# A change is kept where even the lower end of its interval gains: all that comes later is held against what is kept, so that
# luck that was kept once would have to be beaten by everything after it.
KEPT_ABOVE = 0.0


def judged(outcome: Outcome) -> Feedback:
    """The reward of an outcome; none where nothing was measured."""
    gain = outcome.measures.get("gain")
    if outcome.status != "done" or gain is None:
        return Feedback(None, accepted=False, reason=outcome.reason or "nothing was measured")
    compute = compute_of(outcome.cost)
    reward = Measured(*(per_compute(x, compute) for x in (gain.value, gain.low, gain.high)))
    kept = reward.low > KEPT_ABOVE
    said = f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}] at {compute:.2f} times the compute"
    return Feedback(reward, kept, f"{said}: {_in_a_word(reward)}")


def per_compute(gain: float, compute: float) -> float:
    return gain / compute if gain > 0 else gain * compute


def compute_of(cost: Mapping[str, float]) -> float:
    """In trainings of what stood."""
    seconds, before = cost.get("seconds", 0.0), cost.get("incumbent_seconds", 0.0)
    return max(seconds / before, LEAST_COMPUTE) if before > 0 else 1.0


def _in_a_word(reward: Measured) -> str:
    if reward.low > KEPT_ABOVE:
        return "better"
    return "worse" if reward.high < 0 else "no difference shown"
