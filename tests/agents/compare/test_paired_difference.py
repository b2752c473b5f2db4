"""Paired differences against naive loops, scikit-like formulas written out, and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agents.compare import paired_over_seeds
from agents.compare.influence import auc_influence, placements, row_log_loss, summed_by_group
from agents.compare.paired import Paired
from sandboxes.kit.metrics import auc, log_loss


def some_rows(seed: int, n: int = 60, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.4).astype(float)
    y[:4] = [0, 1, 0, 1]
    a, b = (np.clip(0.2 * y + 0.7 * rng.random(n), 0, 1) for _ in range(2))
    return (y, np.round(a, 1), np.round(b, 1)) if ties else (y, a, b)


def naive_placements(y: np.ndarray, p: np.ndarray) -> list[float]:
    """The kernel of the Mann-Whitney statistic averaged over the other class, row by row."""

    def kernel(up: float, down: float) -> float:
        return 1.0 if up > down else 0.5 if up == down else 0.0

    found = []
    for i in range(len(y)):
        others = [j for j in range(len(y)) if y[j] != y[i]]
        pairs = [kernel(p[i], p[j]) if y[i] == 1 else kernel(p[j], p[i]) for j in others]
        found.append(sum(pairs) / len(pairs))
    return found


@pytest.mark.parametrize("ties", [False, True])
def test_placements_equal_the_pairwise_loop_and_average_to_the_auc(ties: bool) -> None:
    y, p, _ = some_rows(1, ties=ties)
    found = placements(y, p)
    np.testing.assert_allclose(found, naive_placements(y, p), atol=1e-12)
    assert found[y == 1].mean() == pytest.approx(auc(y, p), abs=1e-12)
    assert found[y == 0].mean() == pytest.approx(auc(y, p), abs=1e-12)


def test_row_losses_average_to_the_scorers_log_loss() -> None:
    y, p, _ = some_rows(2)
    p[:2] = [0.0, 1.0]
    assert row_log_loss(y, p).mean() == pytest.approx(log_loss(y, p), rel=1e-5)


@pytest.mark.parametrize("ties", [False, True])
def test_row_variance_is_delongs(ties: bool) -> None:
    """S10/m + S01/k of the component differences, as in DeLong et al. 1988, equation 5."""
    y, a, b = some_rows(3, n=300, ties=ties)
    components = placements(y, a) - placements(y, b)
    expected = components[y == 1].var(ddof=1) / (y == 1).sum() + components[y == 0].var(ddof=1) / (y == 0).sum()
    paired = paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b})
    assert paired.row_variance == pytest.approx(expected, rel=1e-12)
    assert paired.seed_variance == 0


@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_row_variance_agrees_with_the_bootstrap_over_rows(metric: str) -> None:
    y, a, b = some_rows(4, n=500)
    rng, of = np.random.default_rng(0), {"auc": auc, "log_loss": log_loss}[metric]
    draws = [rng.integers(0, len(y), len(y)) for _ in range(1500)]
    resampled = np.var([of(y[i], a[i]) - of(y[i], b[i]) for i in draws])
    paired = paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b}, metric)  # type: ignore[arg-type]
    assert paired.row_variance == pytest.approx(resampled, rel=0.15)
    assert paired.estimate == pytest.approx(of(y, a) - of(y, b), abs=1e-12)


def test_clustered_row_variance_agrees_with_the_bootstrap_over_users() -> None:
    """Users whose rows err together: the clustered variance follows, the plain one is far too small."""
    rng = np.random.default_rng(5)
    users = np.repeat(np.arange(120), 8)
    shift = rng.normal(0, 1.5, (2, 120))[:, users]
    z = rng.normal(-0.5, 0.5, len(users)) + rng.normal(0, 1.5, 120)[users]
    y = (rng.random(len(users)) < 1 / (1 + np.exp(-z))).astype(float)
    a, b = (1 / (1 + np.exp(-(z + s))) for s in shift)
    clustered = paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b}, groups=users).row_variance
    plain = paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b}).row_variance
    rows_of = [np.flatnonzero(users == u) for u in range(120)]
    resampled = []
    for _ in range(1500):
        i = np.concatenate([rows_of[u] for u in rng.integers(0, 120, 120)])
        resampled.append(auc(y[i], a[i]) - auc(y[i], b[i]))
    assert clustered == pytest.approx(np.var(resampled), rel=0.15)
    assert plain < 0.8 * clustered


def test_each_row_its_own_user_changes_next_to_nothing() -> None:
    y, a, b = some_rows(6, n=400)
    alone = paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b}, groups=np.arange(400)).row_variance
    assert alone == pytest.approx(paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b}).row_variance, rel=0.01)


def test_with_seed_variance_alone_the_interval_is_the_paired_t_interval() -> None:
    d = np.array([0.003, 0.001, 0.002, 0.004])
    paired = Paired(float(d.mean()), tuple(d), float(d.var(ddof=1) / 4), 0.0, 3.0, 1000.0)
    expected = stats.ttest_1samp(d, 0)
    assert paired.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    np.testing.assert_allclose(paired.interval(0.05), expected.confidence_interval(0.95), rtol=1e-9)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_seed_variance_is_that_of_a_mean_of_paired_differences(n: int) -> None:
    """The same seed stands on both sides, so what a seed does to both models cancels; the sample variance is the unbiased one."""
    y, _, _ = some_rows(0)
    rng = np.random.default_rng(n)
    a, b = ([rng.random(len(y)) for _ in range(n)] for _ in range(2))
    d = [auc(y, p) - auc(y, q) for p, q in zip(a, b, strict=True)]
    found = paired_over_seeds(y, dict(enumerate(a)), dict(enumerate(b)))
    np.testing.assert_allclose(found.per_seed, d, atol=1e-12)
    assert found.seed_variance == pytest.approx(stats.sem(d) ** 2)
    assert found.seed_degrees == n - 1


@given(
    estimate=st.floats(-0.01, 0.01),
    seeds=st.floats(1e-9, 1e-5),
    rows=st.floats(1e-9, 1e-5),
    n=st.integers(2, 12),
    alpha=st.floats(1e-4, 0.5),
)
@settings(max_examples=100, deadline=None)
def test_an_interval_excludes_zero_exactly_when_its_p_value_says_so(
    estimate: float, seeds: float, rows: float, n: int, alpha: float
) -> None:
    paired = Paired(estimate, (), seeds, rows, n - 1.0, 500.0)
    low, high = paired.interval(alpha)
    if abs(paired.p_value - alpha) > 1e-6:
        assert (low > 0 or high < 0) == (paired.p_value < alpha)


def test_equal_models_without_any_variance_are_equal() -> None:
    y, a, _ = some_rows(7)
    paired = paired_over_seeds(y, {1: a, 2: a, 3: a}, {1: a, 2: a, 3: a})
    assert (paired.estimate, paired.p_value, paired.interval(0.05)) == (0.0, 1.0, (0.0, 0.0))


def test_different_seeds_are_not_paired() -> None:
    y, a, b = some_rows(8)
    with pytest.raises(ValueError, match="seeds differ"):
        paired_over_seeds(y, {1: a}, {2: b})


def test_a_few_dominant_users_leave_few_degrees_of_freedom() -> None:
    y, a, b = some_rows(9, n=400)
    users = np.where(np.arange(400) < 300, np.arange(400) % 3, np.arange(400))
    few = paired_over_seeds(y, {1: a, 2: a}, {1: b, 2: b}, groups=users).row_degrees
    assert few < 0.25 * len(np.unique(users))


runs = st.integers(0, 10_000).map(lambda s: (*some_rows(s), some_rows(s + 1)[1], some_rows(s + 2)[2]))


@given(runs, st.sampled_from(["auc", "log_loss"]))
@settings(max_examples=40, deadline=None)
def test_swapping_the_models_negates_the_difference(rows: tuple[np.ndarray, ...], metric: str) -> None:
    y, a, b, a2, b2 = rows
    there = paired_over_seeds(y, {1: a, 2: a2}, {1: b, 2: b2}, metric)  # type: ignore[arg-type]
    back = paired_over_seeds(y, {1: b, 2: b2}, {1: a, 2: a2}, metric)  # type: ignore[arg-type]
    assert there.estimate == pytest.approx(-back.estimate, abs=1e-15)
    assert there.standard_error == pytest.approx(back.standard_error, rel=1e-9)
    np.testing.assert_allclose(there.interval(0.05), [-x for x in reversed(back.interval(0.05))], atol=1e-12)


@given(runs)
@settings(max_examples=40, deadline=None)
def test_auc_differences_see_ranks_only(rows: tuple[np.ndarray, ...]) -> None:
    y, a, b, a2, b2 = rows
    before = paired_over_seeds(y, {1: a, 2: a2}, {1: b, 2: b2})
    after = paired_over_seeds(y, {1: a**3, 2: np.exp(a2)}, {1: 5 * b - 1, 2: b2})
    assert after == before


@given(runs, st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_does_not_matter(rows: tuple[np.ndarray, ...], seed: int) -> None:
    y, a, b, a2, b2 = rows
    users = np.arange(len(y)) // 3
    i = np.random.default_rng(seed).permutation(len(y))
    before = paired_over_seeds(y, {1: a, 2: a2}, {1: b, 2: b2}, groups=users)
    after = paired_over_seeds(y[i], {1: a[i], 2: a2[i]}, {1: b[i], 2: b2[i]}, groups=users[i])
    assert after.estimate == pytest.approx(before.estimate, abs=1e-12)
    assert after.row_variance == pytest.approx(before.row_variance, rel=1e-6)


@given(runs)
@settings(max_examples=30, deadline=None)
def test_influence_sums_to_zero_within_each_class(rows: tuple[np.ndarray, ...]) -> None:
    y, a, b, *_ = rows
    u = auc_influence(y, placements(y, a) - placements(y, b))
    assert abs(u[y == 1].sum()) < 1e-12
    assert abs(u[y == 0].sum()) < 1e-12
    assert abs(summed_by_group(u, np.arange(len(y)) // 4).sum()) < 1e-12
