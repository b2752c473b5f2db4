"""Histories built from a log: what a user did strictly before each row. Notation: n rows, E events, L history length.

Which rows feed which: a history of a train row draws on train rows, of a valid row on train and valid rows, of a test row
on train and valid rows. So a history never shows the outcome of a row whose labels are hidden, or of a valid row to a train
row, even where the split is not by time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.data.splits import TRAIN, VALID
from sandboxes.kit.schema import PADDING_ID

Ids = NDArray[np.int32]
Rows = NDArray[np.intp]
CHUNK = 262_144  # rows gathered at once: bounds the memory of the index


def histories(
    users: NDArray[np.int64],
    times: NDArray[np.float64],
    ids: Ids,
    feeds: NDArray[np.bool_],
    splits: NDArray[np.int8],
    length: int,
) -> Ids:
    """The history (n, L) of each row; see `history_blocks`."""
    result = np.empty((len(ids), length), dtype=np.int32)
    for rows, block in history_blocks(users, times, ids, feeds, splits, length):
        result[rows] = block
    return result


def history_blocks(
    users: NDArray[np.int64],
    times: NDArray[np.float64],
    ids: Ids,
    feeds: NDArray[np.bool_],
    splits: NDArray[np.int8],
    length: int,
) -> Iterator[tuple[Rows, Ids]]:
    """The histories (B, L), oldest first, padded on the left, of so many rows (B,) at a time; every row comes once.

    `users`, `times`, `ids`, `splits` (n,) describe the rows; `feeds` (n,) says which of them are events at all. Of events
    at one instant the earlier row of the table counts as older. Rows of one split come in the order of the table.
    """
    key = _rank(users, times)
    for of_rows, from_rows in ((splits == TRAIN, splits == TRAIN), (splits != TRAIN, splits <= VALID)):
        rows, events = np.flatnonzero(of_rows), np.flatnonzero(from_rows & feeds)
        yield from _gathered(users, key, ids, rows, events, length)


def _gathered(
    users: NDArray[np.int64], key: NDArray[np.int64], ids: Ids, rows: Rows, events: Rows, length: int
) -> Iterator[tuple[Rows, Ids]]:
    """Histories of `rows` from `events`; both are row numbers in ascending order."""
    order = events[np.argsort(key[events], kind="stable")]  # (E,) by user, then time; stable, so then by row
    keys, owners = key[order], users[order]
    past = np.concatenate([ids[order], np.full(1, PADDING_ID, dtype=np.int32)])  # the last entry serves as padding
    offsets = np.arange(-length, 0)
    for at in range(0, len(rows), CHUNK):
        asked = rows[at : at + CHUNK]
        ends = np.searchsorted(keys, key[asked], side="left")  # first event that is not strictly earlier
        starts = np.searchsorted(owners, users[asked], side="left")  # the user's first event
        index = ends[:, None] + offsets  # (B, L)
        yield asked, past[np.where(index >= starts[:, None], index, len(order))]


def _rank(users: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.int64]:
    """A number (n,) per row that orders by user, then time, and is equal where both are."""
    instants = np.unique(times)
    key = np.searchsorted(instants, times)
    key += users * np.int64(len(instants))
    return key
