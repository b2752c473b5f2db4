"""A/A for policies: equal models are called different at most 5 % of the time, the interval holds the truth, and better ones are
found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulated_models import Logged, policy_runs

from agents.compare import Comparison, PolicyTruth, Trained, compare
from agents.compare.influence import mean_influence, ratio_parts
from agents.compare.verdict import Rules
from sandboxes.kit.off_policy import weights_of

SIMULATIONS = 300
ANY_SIZE = Rules(min_value=0.0)  # the minimum effect would only hide false calls
Runs = dict[int, NDArray[np.float32]]


def at_most_five_percent(calls: int, of: int = SIMULATIONS) -> bool:
    """Whether so many calls are what a rate of 5 % can give (one-sided binomial test, one chance in a thousand to be wrong)."""
    return bool(stats.binomtest(calls, of, 0.05, alternative="greater").pvalue > 0.001)


def interval(test: PolicyTruth, a: Runs, b: Runs) -> tuple[float, float]:
    reduced = [test.reduce(list(runs.values()), 0, "value") for runs in (a, b)]
    return test.paired(*reduced, 0, "value").interval(0.05)


def differs(test: PolicyTruth, a: Runs, b: Runs) -> bool:
    low, high = interval(test, a, b)
    return low > 0 or high < 0


def compared(test: PolicyTruth, candidate: Runs, *baselines: Runs, rules: Rules = ANY_SIZE) -> Comparison:
    models = [Trained(f"b{i}", runs, valid=0.1) for i, runs in enumerate(baselines)]
    return compare(Trained("candidate", candidate, valid=0.1), models, test, sorted(candidate), rules)


@pytest.mark.parametrize(
    ("seeds", "noise"),
    [
        (3, {"own": 0.8}),
        (3, {"per_seed": 0.8}),
        (3, {"own": 0.3, "per_seed": 0.1, "uneven": 0.6}),
        (5, {"own": 0.3, "per_seed": 0.1, "uneven": 0.6}),
        (3, {"own": 1.0, "per_seed": 0.3, "sharpness": 6.0}),  # nearly one action a context, few decisions that follow it
    ],
)
def test_new_decisions_and_new_seeds_each_time(seeds: int, noise: dict[str, float]) -> None:
    rng = np.random.default_rng(seeds)
    calls = 0
    for _ in range(SIMULATIONS):
        logged = Logged.draw(rng, 400)
        a, b = (policy_runs(rng, logged, seeds, **noise) for _ in range(2))
        calls += differs(logged.truth(), a, b)
    assert at_most_five_percent(calls), calls


@pytest.mark.parametrize("uneven", [0.0, 0.8])
def test_the_same_decisions_and_new_seeds_each_time(uneven: float) -> None:
    rng = np.random.default_rng(7)
    logged = Logged.draw(rng, 400)
    calls = 0
    for _ in range(SIMULATIONS):
        a, b = (policy_runs(rng, logged, 3, per_seed=0.3, uneven=uneven) for _ in range(2))
        calls += differs(logged.truth(), a, b)
    assert at_most_five_percent(calls), calls


def test_three_baselines_share_the_five_percent() -> None:
    """By the whole comparison as users get it."""
    rng = np.random.default_rng(11)
    calls, of = 0, 150
    for _ in range(of):
        logged = Logged.draw(rng, 400)
        found = compared(logged.truth(), *(policy_runs(rng, logged, 3, own=0.6, per_seed=0.2) for _ in range(4)))
        assert all(row.verdict in ("better", "worse", "tie") for row in found.rows), found.sentence
        calls += any(row.verdict in ("better", "worse") for row in found.rows)
    assert at_most_five_percent(calls, of), calls


def test_decisions_of_one_user_that_err_together() -> None:
    """With users known the rate holds; taking their decisions as independent breaks it, so the clusters are what holds it."""
    rng = np.random.default_rng(13)
    with_users = without = 0
    for _ in range(SIMULATIONS):
        users = np.repeat(np.arange(40), rng.integers(10, 60, 40))
        own = Logged.draw(rng, 40)  # a user's rewards are the same in every decision
        logged = Logged.draw(rng, len(users))
        chances = own.chances[users]
        rewards = (rng.random(len(users)) < chances[np.arange(len(users)), logged.actions]).astype(np.float32)
        logged = Logged(logged.logging, chances, logged.actions, logged.propensity, rewards)
        a, b = ({s: p[users] for s, p in policy_runs(rng, own, 3, own=2.0, sharpness=2.0).items()} for _ in range(2))
        with_users += differs(logged.truth(users), a, b)
        without += differs(logged.truth(), a, b)
    assert at_most_five_percent(with_users), with_users
    assert not at_most_five_percent(without), without


def test_the_interval_of_a_difference_holds_the_true_one() -> None:
    """Of two policies that do differ, over new decisions."""
    rng = np.random.default_rng(17)
    world = Logged.draw(rng, 200_000)
    a, b = (policy_runs(np.random.default_rng(i), world, 2, own=own) for i, own in ((1, 0.0), (2, 1.0)))
    true = world.value(a[1]) - world.value(b[1])
    held = 0
    for start in range(0, 200_000, 500):
        part = slice(start, start + 500)
        test = PolicyTruth(world.actions[part], world.propensity[part], world.rewards[part], world.n_items)
        low, high = interval(test, {s: p[part] for s, p in a.items()}, {s: p[part] for s, p in b.items()})
        held += low <= true <= high
    assert 0.91 < held / 400 < 0.985, held


def test_linearised_values_give_the_error_of_a_ratio() -> None:
    """Against the spread of the value itself over many logs."""
    rng, values, errors = np.random.default_rng(19), [], []
    for _ in range(400):
        logged = Logged.draw(rng, 500)
        (policy,) = policy_runs(rng, logged, 1, own=0.5, sharpness=3.0).values()
        weights = weights_of(policy, logged.actions, logged.propensity)
        runs, lines = ratio_parts([weights], logged.rewards.astype(np.float64))
        assert lines.mean() == pytest.approx(runs[0])
        values.append(runs[0])
        errors.append((mean_influence(lines) ** 2).sum())
    assert np.mean(errors) == pytest.approx(np.var(values), rel=0.2)


def test_a_better_policy_is_found_and_a_worse_one_too() -> None:
    rng = np.random.default_rng(23)
    verdicts = []
    for _ in range(20):
        logged = Logged.draw(rng, 6000)
        good, bad = (policy_runs(rng, logged, 3, own=own, per_seed=0.1) for own in (0.0, 2.0))
        verdicts += [compared(logged.truth(), good, bad, rules=Rules()).verdict]
    assert verdicts.count("better") >= 19
    assert compared(logged.truth(), bad, good, rules=Rules()).verdict == "worse"
