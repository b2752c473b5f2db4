"""The reward: gain for compute, with the interval's sign kept, and kept changes only where even its lower end gains."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.autotrain.agent.judging import LEAST_COMPUTE, judged, per_compute
from agents.contract import Measured, Outcome


def outcome(low: float, value: float, high: float, seconds: float = 10.0, before: float = 10.0) -> Outcome:
    return Outcome("done", {"gain": Measured(value, low, high)}, {"seconds": seconds, "incumbent_seconds": before})


@pytest.mark.parametrize(
    ("interval", "kept"), [((0.001, 0.01, 0.02), True), ((0.0, 0.01, 0.02), False), ((-0.01, 0.01, 0.03), False)]
)
def test_a_change_is_kept_where_the_whole_interval_gains(interval: tuple[float, float, float], kept: bool) -> None:
    assert judged(outcome(*interval)).accepted == kept


def test_a_gain_is_shared_out_over_compute_and_a_loss_grows_with_it() -> None:
    plain, slow, quick = (judged(outcome(-0.01, 0.02, 0.04, seconds=s)).reward for s in (10.0, 20.0, 5.0))
    assert plain == Measured(0.02, -0.01, 0.04)
    assert slow == Measured(0.01, -0.02, 0.02)
    assert quick == Measured(0.04, -0.005, 0.08)


def test_what_costs_next_to_nothing_is_not_worth_the_more_for_it() -> None:
    free, cheap = (judged(outcome(0.01, 0.02, 0.03, seconds=s)).reward for s in (1e-6, 10.0 * LEAST_COMPUTE))
    assert free == cheap


def test_without_seconds_of_what_stood_nothing_is_divided() -> None:
    assert judged(outcome(0.01, 0.02, 0.03, seconds=3.0, before=0.0)).reward == Measured(0.02, 0.01, 0.03)


@pytest.mark.parametrize("status", ["failed", "refused"])
def test_what_failed_has_no_reward(status: str) -> None:
    failed = Outcome(status, reason="the loss became NaN")  # type: ignore[arg-type]
    assert judged(failed).reward is None and not judged(failed).accepted and judged(failed).reason == "the loss became NaN"
    assert judged(replace(failed, measures={"gain": Measured(1.0, 1.0, 1.0)})).reward is None
    assert judged(Outcome("done")).reward is None


numbers = st.floats(-1, 1)


@given(numbers, numbers, numbers, st.floats(0.01, 100), st.floats(0.01, 100))
def test_an_interval_stays_one_and_on_its_side(a: float, b: float, c: float, seconds: float, before: float) -> None:
    low, value, high = sorted((a, b, c))
    reward = judged(outcome(low, value, high, seconds, before)).reward
    assert reward is not None and reward.low <= reward.value <= reward.high
    assert (reward.low > 0) == (low > 0) and (reward.high < 0) == (high < 0)


@given(numbers, st.floats(0.3, 10), st.floats(0.3, 10))
def test_of_equal_gains_the_cheaper_is_no_worse(gain: float, one: float, other: float) -> None:
    cheap, dear = sorted((one, other))
    assert per_compute(gain, cheap) >= per_compute(gain, dear)
