"""A/A: comparing a model with itself calls a difference at most 5 % of the time; a real difference is found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulated_models import World, model_runs, sigmoid

from agents.compare import LabelTruth, Trained, compare, paired_over_seeds
from agents.compare.paired import Paired
from agents.compare.verdict import Rules

SIMULATIONS = 600
ANY_SIZE = Rules(min_auc=0.0, min_log_loss=0.0)  # the minimum effect would only hide false calls
Runs = dict[int, NDArray[np.float64]]


def at_most_five_percent(calls: int, of: int = SIMULATIONS) -> bool:
    """Whether so many calls are what a rate of 5 % can give (one-sided binomial test, one chance in a thousand to be wrong)."""
    return bool(stats.binomtest(calls, of, 0.05, alternative="greater").pvalue > 0.001)


def trained(name: str, runs: Runs) -> Trained:
    return Trained(name, {s: p[:, None] for s, p in runs.items()}, valid=0.7)


def called(world: World, candidate: Runs, baselines: list[Runs]) -> bool:
    """Whether any row claims a difference, by the whole comparison as users get it."""
    models = [trained(f"b{i}", runs) for i, runs in enumerate(baselines)]
    found = compare(
        trained("candidate", candidate), models, LabelTruth(world.labels[:, None], ["click"]), sorted(candidate), ANY_SIZE
    )
    assert all(row.verdict in ("better", "worse", "tie") for row in found.rows), found.sentence
    return any(row.verdict in ("better", "worse") for row in found.rows)


@pytest.mark.parametrize(
    ("seeds", "own", "per_seed", "uneven"),
    [(3, 0.5, 0.0, 0.0), (3, 0.0, 0.5, 0.0), (3, 0.3, 0.1, 0.6), (3, 0.0, 0.1, 1.0), (5, 0.3, 0.1, 0.6)],
)
def test_new_rows_and_new_seeds_each_time(seeds: int, own: float, per_seed: float, uneven: float) -> None:
    """Two models of one kind: neither is better on new rows, though on given rows one is."""
    rng = np.random.default_rng(seeds)
    calls = 0
    for _ in range(SIMULATIONS):
        world = World.draw(rng, 400)
        a, b = (model_runs(rng, world, seeds, own=own, per_seed=per_seed, uneven=uneven) for _ in range(2))
        calls += called(world, a, [b])
    assert at_most_five_percent(calls), calls


@pytest.mark.parametrize("uneven", [0.0, 0.8])
def test_the_same_rows_and_new_seeds_each_time(uneven: float) -> None:
    """The candidate is the baseline, trained on other seeds, judged on one test split."""
    rng = np.random.default_rng(7)
    world = World.draw(rng, 400)
    calls = 0
    for _ in range(SIMULATIONS):
        a, b = (model_runs(rng, world, 3, own=0.0, per_seed=0.3, uneven=uneven) for _ in range(2))
        calls += called(world, a, [b])
    assert at_most_five_percent(calls), calls


def test_three_baselines_share_the_five_percent() -> None:
    rng = np.random.default_rng(11)
    calls = 0
    for _ in range(SIMULATIONS):
        world = World.draw(rng, 400)
        a, *others = (model_runs(rng, world, 3, own=0.4, per_seed=0.2) for _ in range(4))
        calls += called(world, a, others)
    assert at_most_five_percent(calls), calls


def user_level_error(rng: np.random.Generator) -> tuple[World, NDArray[np.int64], Runs, Runs]:
    """Models that are right or wrong about whole users, and users of uneven size."""
    sizes = rng.integers(2, 20, 60)
    users = np.repeat(np.arange(60), sizes)
    world = World.draw(rng, len(users))
    shifted = [world.logits + rng.normal(0, 1.0, 60)[users] for _ in range(2)]
    a, b = ({s: sigmoid(z + 0.2 * rng.normal(size=len(users))) for s in (1, 2, 3)} for z in shifted)
    return world, users, a, b


def test_rows_of_one_user_that_err_together() -> None:
    """With users known the rate holds; taking their rows as independent breaks it, so the clusters are what holds it."""
    rng = np.random.default_rng(13)
    with_users = without = 0
    for _ in range(SIMULATIONS):
        world, users, a, b = user_level_error(rng)
        with_users += paired_over_seeds(world.labels, a, b, groups=users).p_value < 0.05
        without += paired_over_seeds(world.labels, a, b).p_value < 0.05
    assert at_most_five_percent(with_users), with_users
    assert not at_most_five_percent(without), without


@pytest.mark.parametrize("seed_share", [0.1, 0.5, 0.9, 1.0])
def test_three_seeds_hold_the_rate_whatever_the_mixture_of_variances(seed_share: float) -> None:
    """From the distributions themselves: normal differences, chi-square variances of seeds. Satterthwaite: 7.8 % at 0.9."""
    rng, draws = np.random.default_rng(23), 20_000
    estimates = rng.normal(size=draws)
    seed_variances = seed_share * rng.chisquare(2, size=draws) / 2
    calls = 0
    for estimate, seeds in zip(estimates, seed_variances, strict=True):
        low, high = Paired(estimate, (), seeds, 1 - seed_share, 2.0, 2000.0).interval(0.05)
        calls += low > 0 or high < 0
    assert at_most_five_percent(calls, draws), calls / draws


def test_log_loss_differences_hold_the_rate_too() -> None:
    rng = np.random.default_rng(17)
    calls = 0
    for _ in range(SIMULATIONS):
        world = World.draw(rng, 400)
        a, b = (model_runs(rng, world, 3, own=0.4, per_seed=0.1, uneven=0.2) for _ in range(2))
        calls += paired_over_seeds(world.labels, a, b, "log_loss").p_value < 0.05
    assert at_most_five_percent(calls), calls


def found_better(error: float, rows: int, of: int) -> float:
    """The share of comparisons that call the candidate better than a baseline with a larger error of its own."""
    rng = np.random.default_rng(19)
    wins = 0
    for _ in range(of):
        world = World.draw(rng, rows)
        a = model_runs(rng, world, 3, own=0.0, per_seed=0.1)
        b = model_runs(rng, world, 3, own=error, per_seed=0.1)
        found = compare(trained("candidate", a), [trained("b", b)], LabelTruth(world.labels[:, None], ["click"]), [1, 2, 3])
        wins += found.verdict == "better"
    return wins / of


def test_a_real_difference_is_found() -> None:
    """An AUC about 0.01 lower is seen on 20,000 rows in nearly every experiment."""
    assert found_better(error=0.5, rows=20_000, of=40) >= 0.9


def test_a_small_split_seldom_shows_it() -> None:
    assert found_better(error=0.5, rows=300, of=100) < 0.5
