"""Row hashes: fixed for all time, by value, and even enough to split by."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sandboxes.kit.data.columns import key_hashes
from sandboxes.kit.data.stable_hash import column_hashes, fold, fraction_of, text_hashes
from sandboxes.kit.data.table import Table

EXPECTED = [3266658135935384567, 13593165862958045811, 17540460497820127643]


def row_hashes(columns: list[pl.Series]) -> NDArray[np.uint64]:
    table = pl.DataFrame(columns)
    return key_hashes(Table(table), tuple(table.columns), table.height)


def test_hashes_are_what_they_always_were() -> None:
    """Changing these values changes every random split that was ever made."""
    table = pl.DataFrame({"a": ["x", "", None], "b": [1, -5, 2**60], "c": [0.5, None, -0.0], "d": [True, False, None]})
    assert row_hashes(table.get_columns()).tolist() == EXPECTED


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53), 2**53)), min_size=1, max_size=20))
def test_whole_numbers_hash_alike_in_every_type(values: list[int | None]) -> None:
    whole, real = pl.Series(values, dtype=pl.Int64), pl.Series(values, dtype=pl.Float64)
    assert (column_hashes(whole) == column_hashes(real)).all()


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30))
def test_equal_texts_hash_alike_and_others_do_not(values: list[str | None]) -> None:
    hashes = column_hashes(pl.Series(values, dtype=pl.String)).tolist()
    by_value = dict(zip(values, hashes, strict=True))
    assert [by_value[v] for v in values] == hashes
    assert len(set(by_value.values())) == len(by_value)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40), st.sampled_from(["\0", "\0\0", "a" * 8, "a" * 9])), max_size=30))
def test_text_hashes_against_the_formula(values: list[str | None]) -> None:
    def mixed(bits: int) -> int:
        z = (bits + 0x9E3779B97F4A7C15) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    def formula(value: str | None) -> int:
        if value is None:
            return 0x9E3779B97F4A7C15
        text = value.encode()
        hashed = mixed(len(text))
        for start in range(0, len(text), 8):
            hashed = mixed(hashed ^ int.from_bytes(text[start : start + 8], "little"))
        return hashed

    assert text_hashes(pl.Series(values, dtype=pl.String)).tolist() == [formula(v) for v in values]


def test_a_long_text_among_short_ones_costs_only_itself() -> None:
    hashes = text_hashes(pl.Series(["a" * 100_000, "b", "", "a" * 99_999]))
    assert len(set(hashes.tolist())) == 4


def test_the_order_of_columns_and_the_seed_matter() -> None:
    a, b = pl.Series("a", [1, 2, 3]), pl.Series("b", [3, 1, 2])
    hashes = row_hashes([a, b])
    assert not (hashes == row_hashes([b, a])).any()
    assert not (fraction_of(hashes) == fraction_of(hashes, seed=1)).any()
    assert not (fraction_of(hashes, seed=-1) == fraction_of(hashes, seed=1)).any()


def test_a_row_is_hashed_in_blocks_as_it_is_at_once() -> None:
    a, b = pl.Series("a", ["x", "y", None, "z"]), pl.Series("b", [1, 2, 3, 4])
    total = np.zeros(4, dtype=np.uint64)
    for column in (a, b):
        for block in (slice(0, 1), slice(1, 4)):
            fold(total[block], column_hashes(column[block]))
    assert (total == row_hashes([a, b])).all()


def test_fractions_are_even_even_for_consecutive_numbers() -> None:
    fractions = fraction_of(row_hashes([pl.Series(np.arange(100_000))]))
    counts = np.histogram(fractions, bins=20, range=(0, 1))[0]
    assert abs(counts - 5000).max() < 5 * np.sqrt(5000)
    assert fractions.min() >= 0 and fractions.max() < 1


def test_lists_hash_by_their_values() -> None:
    lists = [["a", "b"], ["ab"], ["a", None, "b"], [], None, ["b", "a"], [""], [None]]
    hashes = column_hashes(pl.Series(lists, dtype=pl.List(pl.String))).tolist()
    assert len(set(hashes)) >= len(lists) - 1, "an empty list and one empty text may be alike"
    numbers = pl.Series([[1, 2], [12]], dtype=pl.List(pl.Int64))
    assert column_hashes(numbers).tolist() == column_hashes(pl.Series([["1", "2"], ["12"]])).tolist()
