"""Divides rows into train, valid and test. Notation: n rows; splits are coded 0, 1, 2."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.spec import Split
from sandboxes.kit.data.stable_hash import fraction_of, row_hashes

TRAIN, VALID, TEST = 0, 1, 2
Codes = NDArray[np.int8]


def split_codes(split: Split, table: pl.LazyFrame, columns: tuple[str, ...], time: NDArray[np.float64] | None) -> Codes:
    """The split of each row (n,). `columns` are hashed where the split names no key; `time` (n,) is needed by a split by time.

    Raises `DataError` when a split would be empty.
    """
    if split.by == "time":
        assert time is not None
        codes = by_time(split, time)
    elif split.by == "given":
        codes = _given(split, table, columns)
    else:
        codes = by_hash(split, _fractions(split, table, columns))
    for code, name in enumerate(SPLITS):
        if not (codes == code).any():
            raise DataError(
                f"the {name} split is empty ({len(codes):,} rows in all, split {split.by}); give it rows or larger shares"
            )
    return codes


def by_hash(split: Split, fractions: NDArray[np.float64]) -> Codes:
    """Rows by a uniform number (n,) in [0, 1) of their own."""
    return np.digitize(fractions, [split.train, split.train + split.valid]).astype(np.int8)


def by_time(split: Split, time: NDArray[np.float64]) -> Codes:
    """Rows in order of time; both borders lie between instants, as near to the shares as those allow."""
    instants, counts = np.unique(time, return_counts=True)
    if len(instants) < 3:
        raise DataError(
            f"a split by time needs at least 3 different times, and there are {len(instants)}; split at random instead"
        )
    before = np.cumsum(counts) - counts  # rows strictly earlier than each instant
    wanted = np.array([split.train, split.train + split.valid]) * len(time) - 1e-6  # against rounding
    first = np.clip(np.searchsorted(before, wanted[0]), 1, len(instants) - 2)
    second = np.clip(np.searchsorted(before, wanted[1]), first + 1, len(instants) - 1)
    return np.digitize(time, [instants[first], instants[second]]).astype(np.int8)


def _fractions(split: Split, table: pl.LazyFrame, columns: tuple[str, ...]) -> NDArray[np.float64]:
    key = split.key or columns
    return fraction_of(row_hashes((table.select(c).collect().to_series() for c in key), split.seed))


def _given(split: Split, table: pl.LazyFrame, columns: tuple[str, ...]) -> Codes:
    said = table.select(pl.col(split.column).cast(pl.String).str.to_lowercase()).collect().to_series()
    unknown = set(said.unique().to_list()) - set(SPLITS)
    if unknown:
        shown = ", ".join(repr(v) for v in sorted(unknown, key=str)[:3])
        raise DataError(f"the split column {split.column!r} holds {shown}; it may hold train, valid and test only")
    codes = said.replace_strict(list(SPLITS), [TRAIN, VALID, TEST], return_dtype=pl.Int8).to_numpy().copy()
    if not (codes == VALID).any():
        others = tuple(c for c in columns if c != split.column)
        taken = _fractions(split, table, others) < split.valid / (split.train + split.valid)
        codes[(codes == TRAIN) & taken] = VALID
    return codes
