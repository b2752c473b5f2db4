"""Histories built from a log: what a user did strictly before each row. Notation: n rows, E events, L history length.

Which rows feed which: a history of a train row draws on train rows, of a valid row on train and valid rows, of a test row
on train and valid rows. So a history never shows the outcome of a row whose labels are hidden, or of a valid row to a train
row, even where the split is not by time.
"""

from __future__ import annotations

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
    """The history (n, L) of each row, oldest first, padded on the left.

    `users`, `times`, `ids`, `splits` (n,) describe the rows; `feeds` (n,) says which of them are events at all. Of events
    at one instant the earlier row of the table counts as older.
    """
    result = np.zeros((len(ids), length), dtype=np.int32)
    for of_rows, from_rows in ((splits == TRAIN, splits == TRAIN), (splits != TRAIN, splits <= VALID)):
        rows, events = np.flatnonzero(of_rows), np.flatnonzero(from_rows & feeds)
        result[rows] = _gathered(users, times, ids, rows, events, length)
    return result


def _gathered(users: NDArray[np.int64], times: NDArray[np.float64], ids: Ids, rows: Rows, events: Rows, length: int) -> Ids:
    """Histories (len(rows), L) of `rows` from `events`; both are row numbers in ascending order."""
    order = events[np.lexsort((times[events], users[events]))]  # (E,) by user, then time; stable, so then by row
    key = _rank(users, times)
    ends = np.searchsorted(key[order], key[rows], side="left")  # first event that is not strictly earlier
    starts = np.searchsorted(users[order], users[rows], side="left")  # the user's first event
    past = np.concatenate([ids[order], np.zeros(1, dtype=np.int32)])  # the last entry serves as padding
    result = np.empty((len(rows), length), dtype=np.int32)
    offsets = np.arange(-length, 0)
    for at in range(0, len(rows), CHUNK):
        index = ends[at : at + CHUNK, None] + offsets  # (B, L)
        index = np.where(index >= starts[at : at + CHUNK, None], index, len(order))
        result[at : at + CHUNK] = past[index]
    assert PADDING_ID == 0
    return result


def _rank(users: NDArray[np.int64], times: NDArray[np.float64]) -> NDArray[np.int64]:
    """A number (n,) per row that orders by user, then time, and is equal where both are."""
    instants, when = np.unique(times, return_inverse=True)
    return users * np.int64(len(instants)) + when
