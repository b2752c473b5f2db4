"""How recall is scored: by hand on small cases, and a split that is even, fixed and without overlap."""

from collections import Counter

import numpy as np
import pytest
from bench.recall import Row, table
from bench.recall_scores import CELLS, GROUPS, difference, halves, measures, of_cell
from bench.remembered import queries

from memory.retrieval import RootsAlone

RIGHT = frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("found", "recall", "ndcg"),
    [
        (["a", "b"], 1.0, 1.0),
        (["b", "x", "a"], 1.0, (1 + 1 / 2) / (1 + 1 / np.log2(3))),
        (["x", "y", "z", "u", "v", "a"], 0.0, (1 / np.log2(7)) / (1 + 1 / np.log2(3))),
        ([*"0123456789", "a"], 0.0, 0.0),
        ([], 0.0, 0.0),
    ],
)
def test_measures(found: list[str], recall: float, ndcg: float) -> None:
    assert measures(RIGHT, found) == pytest.approx((recall, ndcg))


def test_halves_are_even_fixed_and_apart() -> None:
    first, second = halves(queries())
    assert (first, second) == halves(queries())
    assert not {q.text for q in first} & {q.text for q in second}
    assert len(first) + len(second) == len(queries())
    by = [Counter((q.root, q.difficulty) for q in half) for half in (first, second)]
    assert all(0 <= by[1][stratum] - by[0][stratum] <= 1 for stratum in by[1])
    assert sum(GROUPS[group](q) for q in queries() for group in GROUPS) == len(queries())


def test_a_difference_is_paired_and_its_interval_holds_it() -> None:
    plain = np.random.default_rng(0).random(40)
    always = difference(plain + 0.1, plain)
    assert (always.mean, always.low, always.high) == pytest.approx((0.1, 0.1, 0.1))
    chance = difference(plain, plain[::-1])
    assert chance.low < chance.mean < chance.high
    assert chance.low < 0 < chance.high


def test_the_table_tells_of_every_group() -> None:
    _, asked = halves(queries())
    asked = [*asked, *(q.__class__(q.text, "abstract", "paper", q.relevant, "p") for q in asked[:3])]
    plain = np.zeros((len(asked), 2))
    rows = [Row("plain", RootsAlone(), plain, 100.0), Row("other", RootsAlone(), plain + 0.5, 10.0)]
    head, _, first, second = table(rows, asked, 0, "plain")
    assert all(f"{cell} ({len(of_cell(cell, asked, plain))})" in head for cell in CELLS)
    assert first.count("0.000") == len(CELLS)
    assert second.count("0.500 (+0.500 [+0.500, +0.500])") == len(CELLS)
