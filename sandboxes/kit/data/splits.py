"""Divides rows into train, valid and test. Notation: n rows; splits are coded 0, 1, 2."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.spec import Split
from sandboxes.kit.data.stable_hash import Hashes, fraction_of
from sandboxes.kit.data.table import BLOCK, Table

TRAIN, VALID, TEST = 0, 1, 2
Codes = NDArray[np.int8]


def split_codes(
    split: Split,
    table: Table,
    n: int,
    *,
    whole: Hashes | None = None,
    key: Hashes | None = None,
    times: NDArray[np.float64] | None = None,
    users: NDArray[np.int64] | None = None,
) -> Codes:
    """The split of each of the n rows. A split at random, or of train rows into train and valid, draws on `key` (n,), the hash
    of the columns that the split names, and on `whole` (n,), that of all columns, where it names none; one by time on `times`,
    and one by each user's last rows on `users` too.

    Raises `DataError` when a split would be empty.
    """
    drawn = whole if key is None else key
    if split.by == "time":
        assert times is not None
        codes = by_time(split, times)
    elif split.by == "last":
        assert times is not None and users is not None
        codes = by_last(split, users, times)
    elif split.by == "given":
        codes = _given(split, table, n, drawn)
    else:
        assert drawn is not None
        codes = by_hash(split, drawn)
    for code, name in enumerate(SPLITS):
        if not (codes == code).any():
            raise DataError(
                f"the {name} split is empty ({len(codes):,} rows in all, split {split.by}); give it rows or larger shares"
            )
    return codes


def by_hash(split: Split, hashes: Hashes) -> Codes:
    """Rows by a hash (n,) of their own, taken as a uniform number."""
    borders = [split.train, split.train + split.valid]
    codes = np.empty(len(hashes), dtype=np.int8)
    for at in range(0, len(hashes), BLOCK):
        codes[at : at + BLOCK] = np.digitize(fraction_of(hashes[at : at + BLOCK], split.seed), borders)
    return codes


def by_time(split: Split, time: NDArray[np.float64]) -> Codes:
    """Rows in order of time; both borders lie between instants, as near to the shares as those allow."""
    ordered = np.sort(time)
    before = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])  # rows earlier than each
    instants = ordered[before]
    if len(instants) < 3:
        raise DataError(
            f"a split by time needs at least 3 different times, and there are {len(instants)}; split at random instead"
        )
    wanted = np.array([split.train, split.train + split.valid]) * len(time) - 1e-6  # against rounding
    first = np.clip(np.searchsorted(before, wanted[0]), 1, len(instants) - 2)
    second = np.clip(np.searchsorted(before, wanted[1]), first + 1, len(instants) - 1)
    return np.digitize(time, [instants[first], instants[second]]).astype(np.int8)


def by_last(split: Split, users: NDArray[np.int64], times: NDArray[np.float64]) -> Codes:
    """Rows by how many of the same user (n,) come later in time, or at the same time and further down in the table."""
    order = np.lexsort((times, users))  # stable, so that rows of one instant stay in the order of the table
    _, first, sizes = np.unique(users[order], return_index=True, return_counts=True)
    later = np.repeat(first + sizes, sizes) - np.arange(1, len(order) + 1)
    codes = np.full(len(order), TRAIN, dtype=np.int8)
    enough = np.repeat(sizes > 2 * split.last, sizes)
    codes[order[enough & (later < 2 * split.last)]] = VALID
    codes[order[enough & (later < split.last)]] = TEST
    return codes


def _given(split: Split, table: Table, n: int, drawn: Hashes | None) -> Codes:
    codes, at, unknown = np.empty(n, dtype=np.int8), 0, set[str | None]()
    for block in table.blocks(split.column):
        said = block.cast(pl.String).str.to_lowercase()
        found = said.replace_strict(list(SPLITS), [TRAIN, VALID, TEST], default=None, return_dtype=pl.Int8)
        unknown |= set(said.filter(found.is_null()).unique().to_list())
        codes[at : at + len(said)] = found.fill_null(TRAIN).to_numpy()
        at += len(said)
    if unknown:
        shown = ", ".join(repr(v) for v in sorted(unknown, key=str)[:3])
        raise DataError(f"the split column {split.column!r} holds {shown}; it may hold train, valid and test only")
    if not (codes == VALID).any():
        assert drawn is not None
        taken = fraction_of(drawn, split.seed) < split.valid / (split.train + split.valid)
        codes[(codes == TRAIN) & taken] = VALID
    return codes
