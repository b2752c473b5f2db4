"""Cut points: as many as asked for at most, where they belong, and none where there is nothing to tell apart."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.contract import Log
from sandboxes.kit.features.cuts import FOLDS, best_cuts, equal_frequency, logarithmic
from sandboxes.kit.features.tree_cuts import FEWEST, tree_cuts

NUMBERS = st.lists(st.floats(-1e9, 1e9) | st.integers(-3, 3).map(float), min_size=1, max_size=60)


@given(NUMBERS, st.integers(2, 40))
def test_cuts_are_ascending_and_few_and_leave_no_bin_empty(values: list[float], bins: int) -> None:
    x = np.array(values)
    for cuts in (equal_frequency(x, bins), logarithmic(x, bins)):
        assert len(cuts) < bins and (np.diff(cuts) > 0).all()
    taken = np.unique(np.searchsorted(equal_frequency(x, bins), x, side="right"))
    assert len(taken) == len(equal_frequency(x, bins)) + 1


def test_equal_frequency_bins_are_equally_frequent() -> None:
    x = np.random.default_rng(0).lognormal(size=8000)
    counts = np.bincount(np.searchsorted(equal_frequency(x, 8), x, side="right"))
    assert len(counts) == 8 and counts.max() - counts.min() <= 2


def test_logarithmic_bins_are_equal_steps_of_the_size() -> None:
    cuts = logarithmic(np.array([0.0, 1000.0]), 12)
    assert np.allclose(cuts, 2.0 ** np.arange(1, 10) - 1)
    assert np.allclose(logarithmic(np.array([-1000.0, 0.0]), 12), [*-cuts[::-1], 0])


def test_a_tree_cuts_where_the_rate_changes_and_only_there() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 10, 20_000)
    y = (rng.random(20_000) < np.where((x > 3) & (x < 7), 0.6, 0.2)).astype(float)
    cuts = tree_cuts(x, y, 3)
    assert len(cuts) == 2 and np.allclose(cuts, [3, 7], atol=0.05)
    noise = [len(tree_cuts(x, (rng.random(20_000) < 0.3).astype(float), 32)) for _ in range(10)]
    assert np.mean(noise) < 8  # of 31 that it may have; the best of 512 places is often beyond chance at one


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=200), st.integers(2, 8))
def test_leaves_of_a_tree_are_no_smaller_than_they_may_be(rows: list[tuple[int, bool]], bins: int) -> None:
    x, y = np.array([float(v) for v, _ in rows]), np.array([float(label) for _, label in rows])
    cuts = tree_cuts(x, y, bins)
    assert len(cuts) < bins
    if len(cuts):
        assert np.bincount(np.searchsorted(cuts, x, side="right")).min() >= FEWEST


def test_the_best_way_is_the_one_that_predicts_held_out_labels() -> None:
    rng = np.random.default_rng(2)
    x = np.exp(rng.uniform(0, 12, 20_000))
    y = (rng.random(20_000) < np.where((x > 50) & (x < 60), 0.9, 0.1)).astype(float)
    cuts = best_cuts(x, y, np.arange(20_000) % FOLDS, 16)
    rate = [y[np.searchsorted(cuts, x, side="right") == b].mean() for b in range(len(cuts) + 1)]
    assert max(rate) > 0.8  # a narrow band that bins of equal frequency or size do not meet


@settings(deadline=None)
@given(st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(-5, 5).map(float)), max_size=40))
@pytest.mark.parametrize("by", ["equal_frequency", "log", "tree", "auto"])
def test_every_number_has_a_bin(by: str, values: list[float]) -> None:
    n = 50
    columns = pl.DataFrame({"x": np.concatenate([np.arange(n) / 7, values])})
    train = np.arange(columns.height) < n
    labels = (np.arange(columns.height) % 3 == 0).astype(np.float32) if by in ("tree", "auto") else None
    bins = Bins("b", "x", by, 8, task="y" if labels is not None else "")  # type: ignore[arg-type]
    state = bins.fit(Log(columns, train, labels))
    texts = bins.apply(columns, state)
    assert texts.null_count() == 0 and len(texts) == columns.height
    assert ((texts == "missing") == pl.Series(np.isnan(columns["x"].to_numpy()))).all()
    x = columns["x"].to_numpy()
    order = np.argsort(x[~np.isnan(x)], kind="stable")
    places = texts.filter(texts != "missing").cast(pl.Int64).to_numpy()[order]
    assert (np.diff(places) >= 0).all()
