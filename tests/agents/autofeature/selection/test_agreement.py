"""Agreement, stability and consensus: cases by hand, and what holds of any scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.autofeature.selection import Agreement, FieldScore, Scores, agreement, consensus, stability
from agents.autofeature.selection.ranks import normalised, top_of
from agents.autofeature.selection.stability import chosen_stability

NAMES = "abcdefghij"
numbers = st.integers(-8, 8).map(float)
lists = st.integers(2, 10).flatmap(lambda d: st.lists(st.lists(numbers, min_size=d, max_size=d), min_size=2, max_size=5))


def scores(values: Sequence[float], method: str = "m", seed: int = 0, names: str = NAMES, task: str = "click") -> Scores:
    fields = tuple(FieldScore(field=n, score=v) for n, v in zip(names, values, strict=False))
    return Scores(method=method, task=task, unit="points", seed=seed, fields=fields)


def several(values: Sequence[Sequence[float]]) -> list[Scores]:
    return [scores(v, f"m{i}") for i, v in enumerate(values)]


def test_agreement_by_hand() -> None:
    made = agreement(several([[4, 3, 2, 1], [3, 4, 2, 1], [1, 2, 3, 4]]), top=2)
    assert made.methods == ("m0", "m1", "m2") and made.fields == ("a", "b", "c", "d") and made.top == 2
    assert np.array(made.kendall, float) == pytest.approx(np.array([[1, 2 / 3, -1], [2 / 3, 1, -2 / 3], [-1, -2 / 3, 1]]))
    assert np.array(made.spearman, float) == pytest.approx(np.array([[1, 0.8, -1], [0.8, 1, -0.8], [-1, -0.8, 1]]))
    assert made.overlap == ((1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert made.mean_kendall == pytest.approx((2 / 3 - 1 - 2 / 3) / 3)
    assert Agreement.model_validate_json(made.model_dump_json()) == made


def test_only_fields_that_all_scored_are_compared() -> None:
    made = agreement([scores([3, 2, 1], names="abc"), scores([1, 2, 3], names="xca")], top=1)
    assert made.fields == ("a", "c") and made.kendall[0][1] == 1.0


def test_a_method_that_says_nothing_agrees_with_nobody() -> None:
    made = agreement(several([[1, 2, 3], [5, 5, 5]]), top=1)
    assert made.kendall == ((1.0, None), (None, None)) and made.spearman[0][1] is None
    assert made.overlap == ((1.0, 0.0), (0.0, None)) and made.mean_kendall is None


def test_of_equal_fields_at_the_border_none_is_at_the_top() -> None:
    assert top_of(np.array([5.0, 1.0, 1.0, 0.0]), 2).tolist() == [True, False, False, False]
    assert top_of(np.array([5.0, 1.0, 1.0, 0.0]), 3).tolist() == [True, True, True, False]
    assert top_of(np.array([5.0, 1.0]), 2).tolist() == top_of(np.array([0.0, 0.0]), 7).tolist() == [True, True]
    assert agreement(several([[9, 8, 1, 1], [9, 2, 2, 2]]), top=2).overlap[0][1] == 0.5


@settings(deadline=None)
@given(lists, st.integers(1, 10))
def test_what_holds_of_any_agreement(values: list[list[float]], top: int) -> None:
    made = agreement(several(values), top)
    for matrix, least in ((made.kendall, -1), (made.spearman, -1), (made.overlap, 0)):
        for i, row in enumerate(matrix):
            for j, value in enumerate(row):
                assert value is None or least <= value <= 1
                assert value == matrix[j][i]
            assert row[i] is None or row[i] == pytest.approx(1)


@settings(deadline=None)
@given(lists, st.integers(1, 10))
def test_units_do_not_matter(values: list[list[float]], top: int) -> None:
    """Only ranks count: what grows with a score may take its place."""
    grown: list[Callable[[float], float]] = [lambda x: np.exp(x / 3), lambda x: x**3, lambda x: 2 * x - 7, np.arctan, np.sinh]
    other = several([[float(grown[i](x)) for x in v] for i, v in enumerate(values)])
    assert consensus(several(values)) == consensus(other)
    first, second = agreement(several(values), top), agreement(other, top)
    assert first.overlap == second.overlap
    for a, b in ((first.kendall, second.kendall), (first.spearman, second.spearman)):
        assert np.array(a, float) == pytest.approx(np.array(b, float), nan_ok=True)


def test_scores_of_different_tasks_are_not_compared() -> None:
    with pytest.raises(ValueError, match="one task"):
        agreement([scores([1, 2]), scores([1, 2], task="buy")], 1)
    with pytest.raises(ValueError, match="one task"):
        agreement([], 1)


def test_an_agreement_is_square() -> None:
    with pytest.raises(ValueError, match=r"\(1, 1\)"):
        Agreement(methods=("m",), fields=("a",), top=1, kendall=((1.0, 1.0),), spearman=((1.0,),), overlap=((1.0,),))


def test_stability_of_a_known_choice() -> None:
    """By definition 4: 1 less the mean variance of being chosen over that of choosing as many at random."""
    z = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]], dtype=bool)
    p = np.array([1, 2 / 3, 1 / 3, 0])
    wanted = 1 - np.mean(3 / 2 * p * (1 - p)) / (0.5 * 0.5)
    phi, low, high = chosen_stability(z)
    assert phi == pytest.approx(wanted) and low is not None and high is not None and low < wanted < high <= 1


def test_the_interval_is_that_of_theorem_seven() -> None:
    """Term by term as it stands in the paper, in loops."""
    z = np.random.default_rng(0).random((7, 9)) < 0.4
    (m, d), p, k = z.shape, z.mean(0), z.sum(1)
    mean = k.mean()
    scale = mean / d * (1 - mean / d)
    phi = 1 - sum(m / (m - 1) * x * (1 - x) for x in p) / d / scale
    own = []
    for i in range(m):
        shared = sum(float(z[i, f]) * p[f] for f in range(d)) / d
        correction = phi / 2 * (2 * mean * k[i] / d**2 - k[i] / d - mean / d + 1)
        own.append((shared - k[i] * mean / d**2 + correction) / scale)
    variance = 4 / m**2 * sum((x - sum(own) / m) ** 2 for x in own)
    assert chosen_stability(z, 0.9) == pytest.approx((phi, phi - 1.6448536 * variance**0.5, phi + 1.6448536 * variance**0.5))


def test_choices_at_random_are_not_stable() -> None:
    z = np.random.default_rng(1).permuted(np.tile(np.arange(40) < 10, (400, 1)), axis=1)
    phi, low, high = chosen_stability(z)
    assert phi == pytest.approx(0, abs=0.01) and low is not None and high is not None and low < 0 < high


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=9), st.integers(2, 6))
def test_the_same_choice_every_time_is_as_stable_as_can_be(chosen: list[bool], runs: int) -> None:
    found = chosen_stability(np.tile(chosen, (runs, 1)))
    assert found == ((None, None, None) if all(chosen) or not any(chosen) else pytest.approx((1, 1, 1)))


@settings(deadline=None)
@given(st.integers(0, 999), st.integers(2, 6), st.integers(2, 9))
def test_stability_stays_within_its_bounds(seed: int, runs: int, fields: int) -> None:
    phi, low, high = chosen_stability(np.random.default_rng(seed).random((runs, fields)) < 0.5)
    assert phi is None or (low is not None and high is not None and -1 - 1e-9 <= phi <= 1 and low <= phi <= high <= 1)


def test_stability_over_seeds() -> None:
    runs = [scores(v, seed=i) for i, v in enumerate([[9, 8, 1, 0], [8, 9, 1, 0], [9, 0, 8, 1]])]
    made = stability(runs, top=2)
    assert made.often == pytest.approx({"a": 1.0, "b": 2 / 3, "c": 1 / 3, "d": 0.0}) and made.seeds == (0, 1, 2)
    assert made.kendall == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert made.stability == pytest.approx(1 - np.mean([0, 1 / 3, 1 / 3, 0]) / 0.25) and made.level == 0.95
    assert stability(runs[:1] * 2, top=2).stability == 1 and stability(runs, top=4).stability is None


def test_stability_is_of_one_method() -> None:
    for runs in ([scores([1, 2])], [scores([1, 2]), scores([1, 2], method="other")]):
        with pytest.raises(ValueError, match="two runs of one method"):
            stability(runs, 1)


def test_consensus_by_hand() -> None:
    made = consensus([scores([30, 20, 10], names="abc"), scores([0.3, 0.1, 0.1], names="bac"), scores([1, 9], names="cd")])
    rows = {r.field: r for r in made.rows}
    assert (rows["a"].rank, rows["a"].methods) == (pytest.approx((1 + 0.25) / 2), 2)
    assert rows["a"].spread == pytest.approx(0.375)
    assert rows["b"].rank == pytest.approx((0.5 + 1) / 2)
    assert rows["c"].rank == pytest.approx((0 + 0.25 + 0) / 3) and rows["c"].methods == 3
    assert (rows["d"].rank, rows["d"].spread, rows["d"].methods) == (1, 0, 1)
    assert made.ranking == ("d", "b", "a", "c")
    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_equal_fields_keep_the_order_of_the_schema_and_share_a_rank() -> None:
    assert consensus([scores([1, 1, 1])]).ranking == ("a", "b", "c")
    assert normalised(np.array([2.0, 7.0, 7.0])).tolist() == [0, 0.75, 0.75]
    assert normalised(np.array([2.0])).tolist() == [0.5] and normalised(np.array([])).tolist() == []
