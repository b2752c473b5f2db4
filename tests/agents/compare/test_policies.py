"""Policies judged by logged decisions: values by hand, what makes them bad, what makes them no result, and what stays hidden."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from simulated_models import Logged, policy_runs

from agents.compare import BadPredictions, Comparison, PolicyTruth, Rules, Scores, Trained, compare
from sandboxes.kit.off_policy import MOST_WEIGHT

ACTIONS = np.array([2, 3, 4, 2, 1], np.int32)  # the last: an action that training did not know
TRUTH = PolicyTruth(ACTIONS, np.array([0.5, 0.25, 0.25, 0.5, 0.1], np.float32), np.array([1, 0, 1, 0, 1], np.float32), n_items=5)
EVEN = np.tile(np.array([0, 0, 1, 1, 1], np.float32) / 3, (5, 1))


def test_values_by_hand() -> None:
    policy = np.array([[0, 0, 1, 0, 0], [0, 0, 0.5, 0.5, 0], [0, 0, 0, 0.25, 0.75], [0, 0, 0.5, 0.5, 0], [0, 0, 1, 0, 0]], "f4")
    weights = np.array([2.0, 2.0, 3.0, 1.0, 0.0])  # 1 / .5, .5 / .25, .75 / .25, .5 / .5, and nothing of an unknown action
    found = TRUTH.score(policy).primary
    assert found.values == pytest.approx(
        {
            "value": (2 + 3) / weights.sum(),
            "ips": (2 + 3) / 5,
            "logged_value": 3 / 5,
            "effective_sample_size": weights.sum() ** 2 / (weights**2).sum(),
        }
    )
    assert TRUTH.primary(policy) == found.values["value"] and found.rows == 5


def test_weights_are_capped() -> None:
    test = PolicyTruth(np.array([2, 3], np.int32), np.array([0.001, 0.5], np.float32), np.array([1, 0], np.float32), 4)
    policy = np.array([[0, 0, 1, 0], [0, 0, 0, 1]], np.float32)
    assert test.primary(policy) == MOST_WEIGHT / (MOST_WEIGHT + 2)


def test_a_policy_that_was_never_followed_has_no_value() -> None:
    never = np.array([[0, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]], np.float32)
    found = TRUTH.score(never).primary
    assert "value" not in found.values and found.values["effective_sample_size"] == 0
    assert np.isnan(TRUTH.primary(never)) and found.collapse


@given(st.integers(0, 10_000), st.floats(0.01, 50))
def test_the_value_is_a_mean_of_rewards_whatever_the_scale_of_propensities(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    drawn = Logged.draw(rng, 40)
    (policy,) = policy_runs(rng, drawn, 1, own=1.0).values()
    value = drawn.truth().primary(policy)
    assert 0 <= value <= 1
    scaled = PolicyTruth(drawn.actions, drawn.propensity / np.float32(scale), drawn.rewards, drawn.n_items)
    if scale <= 1 or (policy[np.arange(40), drawn.actions] / scaled.propensity).max() < MOST_WEIGHT:
        assert scaled.primary(policy) == pytest.approx(value, abs=1e-5)
    order = rng.permutation(40)
    moved = PolicyTruth(drawn.actions[order], drawn.propensity[order], drawn.rewards[order], drawn.n_items)
    assert moved.primary(policy[order]) == pytest.approx(value)


def spoiled(change: Callable[[NDArray[np.float32]], object]) -> NDArray[np.float32]:
    made = EVEN.copy()
    change(made)
    return made


BAD = {
    "sums to more": (EVEN * 2, "the probabilities of 5 of 5 decisions do not add up to 1"),
    "one row sums to less": (spoiled(lambda a: a.__setitem__((1, 2), 0.3)), "the probabilities of 1 of 5 decisions"),
    "negative": (spoiled(lambda a: a.__setitem__((1, slice(2, 4)), (-0.5, 1.17))), "1 of 25 probabilities are negative"),
    "not a number": (np.full((5, 5), np.nan, np.float32), "25 of 25 probabilities are negative, NaN"),
    "infinite": (spoiled(lambda a: a.__setitem__((1, 2), np.inf)), "1 of 25 probabilities"),
    "the unknown action": (np.eye(5, dtype=np.float32)[[1] * 5], "ids below 2, which are no actions, have a probability"),
    "padding": (np.eye(5, dtype=np.float32)[[0] * 5], "ids below 2"),
    "whole numbers": (np.eye(5, dtype=np.int64)[[2] * 5], "policies are int64, not floating-point"),
    "no array": ([[1.0]], "policies are list"),
    "too few actions": (EVEN[:, :4], r"policies have shape \(5, 4\), not \(5, 5\) for 5 decisions and 5 ids"),
    "too few decisions": (EVEN[:4], r"policies have shape \(4, 5\)"),
    "values of taken actions": (EVEN[:, 2], r"policies have shape \(5,\)"),
}


@pytest.mark.parametrize(("array", "why"), BAD.values(), ids=BAD.keys())
def test_bad_policies_are_refused_in_one_clause(array: NDArray[np.float32], why: str) -> None:
    for judged in (TRUTH.score, TRUTH.primary, TRUTH.check):
        with pytest.raises(BadPredictions, match=why) as caught:
            judged(array)
        assert "\n" not in str(caught.value) and not str(caught.value).endswith(".")
    TRUTH.check(EVEN)


DRAWN = Logged.draw(np.random.default_rng(0), 4000)
SEEDS = (1, 2, 3)


def model(name: str, own: float = 0.0, **given: object) -> Trained:
    runs = policy_runs(np.random.default_rng(len(name)), DRAWN, 3, own=own, per_seed=0.1)
    return Trained(name, runs, **{"valid": 0.1, **given})  # type: ignore[arg-type]


def against(*baselines: Trained, candidate: Trained | None = None, users: NDArray[np.int64] | None = None) -> Comparison:
    return compare(candidate or model("candidate"), baselines, DRAWN.truth(users), SEEDS)


def test_a_verdict_reads_well() -> None:
    found = against(model("best_fixed_action", 4.0))
    (effect,) = found.rows[0].effects
    assert (effect.metric, effect.task, found.predicts) == ("value", "reward", "actions")
    assert found.sentence == (
        f"better than best_fixed_action: value {effect.estimate:+.4f} [{effect.low:+.4f}, {effect.high:+.4f}] over 3 seeds"
    )
    assert (found.test_rows, found.min_effect) == (4000, 0.0005)
    assert found.notes == (
        "users of test decisions are unknown, so decisions are taken as independent; intervals are too narrow if users repeat",
    )
    means = [np.mean([DRAWN.truth().primary(p) for p in m.predictions.values()]) for m in (model("candidate"), model("b", 4.0))]
    assert means[0] > means[1]
    assert effect.estimate == pytest.approx(np.mean(effect.per_seed))


@pytest.mark.parametrize(("array", "why"), BAD.values(), ids=BAD.keys())
def test_bad_policies_are_not_comparable_and_say_why(array: NDArray[np.float32], why: str) -> None:
    test = PolicyTruth(np.tile(ACTIONS, 40), np.tile(TRUTH.propensity, 40), np.tile(TRUTH.rewards, 40), 5)
    good = np.tile(EVEN, (40, 1))
    bad = np.tile(array, (40,) + (1,) * (array.ndim - 1)) if isinstance(array, np.ndarray) else array
    found = compare(
        Trained("candidate", dict.fromkeys(SEEDS, good)),
        [Trained("b", {1: good, 2: bad, 3: good})],
        test,
        SEEDS,  # type: ignore[dict-item]
    )
    assert found.verdict == "not comparable" and found.rows[0].reason.startswith("b failed on seed 2: ")
    assert re.search(why.split(" 5")[0].split(" 25")[0].split(r" \(")[0], found.rows[0].reason) or "of" in why


def test_too_few_decisions_of_what_it_does_are_no_result() -> None:
    """One that does what the logging policy hardly ever does; but not one that does what the logging policy does."""
    rare = np.zeros((4000, DRAWN.n_items), np.float32)
    rare[np.arange(4000), DRAWN.logging[:, 2:].argmin(1) + 2] = 1
    test = DRAWN.truth()
    thin = PolicyTruth(test.actions[:300], test.propensity[:300], test.rewards[:300], test.n_items)
    found = compare(
        Trained("a", dict.fromkeys(SEEDS, DRAWN.logging[:300])), [Trained("b", dict.fromkeys(SEEDS, rare[:300]))], thin, SEEDS
    )
    assert found.verdict == "not comparable"
    assert re.search(r"b collapsed on seed 1: .* 300 decisions say of it what [0-9.]+ would", found.rows[0].reason)
    logger = test.score(DRAWN.logging).primary
    assert logger.collapse == "" and logger.values["value"] == pytest.approx(logger.values["logged_value"], abs=1e-6)
    assert logger.values["effective_sample_size"] == pytest.approx(4000, rel=1e-5)


def test_the_same_in_every_context_is_a_result() -> None:
    fixed = np.zeros((4000, DRAWN.n_items), np.float32)
    fixed[:, 4] = 1
    found = against(Trained("fixed", dict.fromkeys(SEEDS, fixed), valid=0.05))
    assert found.verdict in ("better", "worse", "tie") and found.strongest == "fixed"


def test_too_few_rewards_are_not_comparable() -> None:
    found = compare(Trained("a", dict.fromkeys(SEEDS, EVEN)), [Trained("b", dict.fromkeys(SEEDS, EVEN))], TRUTH, SEEDS)
    assert found.sentence == "not comparable: only 2 test decisions of the rarer reward of reward; at least 10 are needed"
    assert not TRUTH.too_small(Rules(min_rows=2))


def test_scores_and_comparison_survive_their_json() -> None:
    found, scores = against(model("b", 3.0), users=np.arange(4000) // 2), DRAWN.truth().score(DRAWN.logging)
    assert Comparison.model_validate_json(found.model_dump_json()) == found
    assert Scores.model_validate_json(scores.model_dump_json()) == scores
    assert (found.clusters, found.notes) == (2000, ())
