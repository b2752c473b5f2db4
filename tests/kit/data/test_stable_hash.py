"""Row hashes: fixed for all time, by value, and even enough to split by."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.kit.data.stable_hash import column_hashes, fraction_of, row_hashes

EXPECTED = [4120740727998557477, 17191321809705990098, 17540460497820127643]


def test_hashes_are_what_they_always_were() -> None:
    """Changing these values changes every random split that was ever made."""
    table = pl.DataFrame({"a": ["x", "", None], "b": [1, -5, 2**60], "c": [0.5, None, -0.0], "d": [True, False, None]})
    assert row_hashes(table.get_columns()).tolist() == EXPECTED


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), min_size=1, max_size=20))
def test_whole_numbers_hash_alike_in_every_type(values: list[int | None]) -> None:
    whole, real = pl.Series(values, dtype=pl.Int64), pl.Series(values, dtype=pl.Float64)
    assert (column_hashes(whole) == column_hashes(real)).all()


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30))
def test_equal_texts_hash_alike_and_others_do_not(values: list[str | None]) -> None:
    hashes = column_hashes(pl.Series(values, dtype=pl.String)).tolist()
    by_value = dict(zip(values, hashes, strict=True))
    assert [by_value[v] for v in values] == hashes
    assert len(set(by_value.values())) == len(by_value)


def test_the_order_of_columns_and_the_seed_matter() -> None:
    a, b = pl.Series("a", [1, 2, 3]), pl.Series("b", [3, 1, 2])
    assert not (row_hashes([a, b]) == row_hashes([b, a])).any()
    assert not (row_hashes([a, b]) == row_hashes([a, b], seed=1)).any()


def test_fractions_are_even_even_for_consecutive_numbers() -> None:
    fractions = fraction_of(row_hashes([pl.Series(np.arange(100_000))]))
    counts = np.histogram(fractions, bins=20, range=(0, 1))[0]
    assert abs(counts - 5000).max() < 5 * np.sqrt(5000)
    assert fractions.min() >= 0 and fractions.max() < 1
