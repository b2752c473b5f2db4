"""A/A for ranked lists: equal models are called different at most 5 % of the time, and better lists are found."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulated_models import Queries, list_runs

from agents.compare import Comparison, ListTruth, Metric, Trained, compare
from agents.compare.verdict import Rules

SIMULATIONS = 300
ANY_SIZE = Rules(min_ndcg=0.0, min_recall=0.0)  # the minimum effect would only hide false calls
Lists = dict[int, NDArray[np.int32]]


def at_most_five_percent(calls: int, of: int = SIMULATIONS) -> bool:
    """Whether so many calls are what a rate of 5 % can give (one-sided binomial test, one chance in a thousand to be wrong)."""
    return bool(stats.binomtest(calls, of, 0.05, alternative="greater").pvalue > 0.001)


def truth(queries: Queries, users: NDArray[np.int64] | None = None) -> ListTruth:
    return ListTruth(queries.answers, queries.n_items, groups=users)


def differs(test: ListTruth, a: Lists, b: Lists, metric: Metric = "ndcg") -> bool:
    reduced = [test.reduce(list(runs.values()), 0, metric) for runs in (a, b)]
    low, high = test.paired(*reduced, 0, metric).interval(0.05)
    return low > 0 or high < 0


def compared(test: ListTruth, candidate: Lists, *baselines: Lists, rules: Rules = ANY_SIZE) -> Comparison:
    models = [Trained(f"b{i}", runs, valid=0.1) for i, runs in enumerate(baselines)]
    return compare(Trained("candidate", candidate, valid=0.1), models, test, sorted(candidate), rules)


@pytest.mark.parametrize(
    ("seeds", "noise", "metric"),
    [
        (3, {"own": 0.6}, "ndcg"),
        (3, {"per_seed": 0.6}, "ndcg"),
        (3, {"own": 0.3, "per_seed": 0.1, "uneven": 0.6}, "recall"),
        (5, {"own": 0.3, "per_seed": 0.1, "uneven": 0.6}, "ndcg"),
        (3, {"own": 0.3, "per_seed": 0.3, "deeper": 2.0}, "ndcg"),  # few answers among the first 20
        (3, {"own": 0.3, "per_seed": 0.3, "deeper": 2.0}, "recall"),
    ],
)
def test_new_queries_and_new_seeds_each_time(seeds: int, noise: dict[str, float], metric: Metric) -> None:
    rng = np.random.default_rng(seeds)
    calls = 0
    for _ in range(SIMULATIONS):
        queries = Queries.draw(rng, 120)
        a, b = (list_runs(rng, queries, seeds, **noise) for _ in range(2))
        calls += differs(truth(queries), a, b, metric)
    assert at_most_five_percent(calls), calls


@pytest.mark.parametrize("uneven", [0.0, 0.8])
def test_the_same_queries_and_new_seeds_each_time(uneven: float) -> None:
    rng = np.random.default_rng(7)
    queries = Queries.draw(rng, 120)
    calls = 0
    for _ in range(SIMULATIONS):
        a, b = (list_runs(rng, queries, 3, per_seed=0.3, uneven=uneven) for _ in range(2))
        calls += differs(truth(queries), a, b)
    assert at_most_five_percent(calls), calls


def test_three_baselines_share_the_five_percent() -> None:
    """By the whole comparison as users get it."""
    rng = np.random.default_rng(11)
    calls, of = 0, 150
    for _ in range(of):
        queries = Queries.draw(rng, 120)
        found = compared(truth(queries), *(list_runs(rng, queries, 3, own=0.4, per_seed=0.2) for _ in range(4)))
        assert all(row.verdict in ("better", "worse", "tie") for row in found.rows), found.sentence
        calls += any(row.verdict in ("better", "worse") for row in found.rows)
    assert at_most_five_percent(calls, of), calls


def test_queries_of_one_user_that_err_together() -> None:
    """With users known the rate holds; taking their queries as independent breaks it, so the clusters are what holds it."""
    rng = np.random.default_rng(13)
    with_users = without = 0
    for _ in range(SIMULATIONS):
        users = np.repeat(np.arange(40), rng.integers(1, 8, 40))
        queries = Queries.draw(rng, len(users))
        a, b = (list_runs(rng, queries, 3, per_seed=0.2, deeper=rng.normal(0, 1.0, 40)[users][:, None]) for _ in range(2))
        with_users += differs(truth(queries, users), a, b)
        without += differs(truth(queries), a, b)
    assert at_most_five_percent(with_users), with_users
    assert not at_most_five_percent(without), without


def test_better_lists_are_found_and_worse_ones_too() -> None:
    rng = np.random.default_rng(19)
    verdicts = []
    for _ in range(20):
        queries = Queries.draw(rng, 2000)
        good, bad = (list_runs(rng, queries, 3, own=0.1, per_seed=0.1, deeper=deeper) for deeper in (0.0, 0.15))
        verdicts += [compared(truth(queries), good, bad, rules=Rules()).verdict]
    assert verdicts.count("better") >= 19
    assert compared(truth(queries), bad, good, rules=Rules()).verdict == "worse"


def test_a_difference_below_two_thousandths_is_shown_and_does_not_count() -> None:
    """Without any noise of queries or seeds but that of the shift itself."""
    queries = Queries.draw(np.random.default_rng(23), 20_000)
    good, bad = (list_runs(np.random.default_rng(1), queries, 3, per_seed=0.01, deeper=deeper) for deeper in (0.0, 0.004))
    found = compared(truth(queries), good, bad, rules=Rules())
    effect = found.rows[0].primary
    assert effect is not None and 0 < effect.low < effect.estimate < 0.002
    assert (found.verdict, compared(truth(queries), good, bad).verdict) == ("tie", "better")
