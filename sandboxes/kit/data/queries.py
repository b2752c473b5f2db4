"""Turns prepared rows, each of which is an event, into queries: which of all items belongs to a situation?

A train row stays an event, with its item as the one answer. Rows of valid and test that are the same once their item is hidden
become one query with several answers. No query asks for what its user took in an earlier split, and such items are listed, so
that no model recommends them. Answers of test are hidden. It works on whole columns of ids in memory.
Notation: n rows, Q queries, E events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.data.encode import Rows
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.item_side import hide_items, items_of, write_items
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.ranking import Answers, ItemLists
from sandboxes.kit.schema import UNKNOWN_ID, Schema

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Events:
    """Rows of one split, as they stand in its arrays."""

    at: NDArray[np.intp]  # (E,) rows of the split's arrays
    items: NDArray[np.int32]  # (E,)
    users: Ints | None  # (E,)

    def kept(self, which: NDArray[np.bool_]) -> _Events:
        return _Events(self.at[which], self.items[which], None if self.users is None else self.users[which])


@dataclass(frozen=True)
class Posed:
    """How many queries each split has, and the shares of its events that none asks for: of unknown items, and taken before.
    `train_rows` are the numbers of the train rows that became queries."""

    sizes: Mapping[str, int]
    dropped: Mapping[str, Mapping[str, float]]
    train_rows: NDArray[np.intp]


def pose_queries(rows: Rows, schema: Schema, visible: Path, hidden: Path) -> Posed:
    """Rewrites the arrays in `visible` and adds answers, items taken before, and the collection of items.

    Raises `DataError` when a split is left without a query.
    """
    write_items(schema, visible)
    sizes, dropped = dict[str, int](), dict[str, dict[str, float]]()
    train_rows = np.zeros(0, np.intp)
    taken = _Events(np.zeros(0, np.intp), np.zeros(0, np.int32), None if rows.users is None else np.zeros(0, np.int64))
    for code, split in enumerate(SPLITS):
        everything = _events(rows, code, schema, visible)
        events = everything.kept(everything.items > UNKNOWN_ID)
        unknown = len(everything.at) - len(events.at)
        repeated = 0
        if split == "train":
            Answers(np.arange(len(events.at) + 1), events.items).save(visible, "train.answers")
            hide_items(schema, visible, split, events.at)
            train_rows, size = events.at, len(events.at)
        else:
            fresh = events.kept(~_already(events, taken))
            repeated = len(events.at) - len(fresh.at)
            size = _write_queries(schema, fresh, taken, split, visible, hidden)
        if not size:
            raise DataError(
                f"no event of the {split} split is of an item that train teaches and the user has not taken before; "
                "give more rows, or another split"
            )
        taken = _together(taken, events)
        sizes[split], n = size, max(len(everything.at), 1)
        dropped[split] = {"of unknown items": round(unknown / n, 5), "taken before": round(repeated / n, 5)}
    return Posed(sizes, dropped, train_rows)


def _events(rows: Rows, code: int, schema: Schema, visible: Path) -> _Events:
    own, items = rows.codes == code, items_of(schema, visible, SPLITS[code])
    return _Events(np.arange(len(items)), items, None if rows.users is None else rows.users[own])


def _together(some: _Events, others: _Events) -> _Events:
    users = None
    if some.users is not None and others.users is not None:
        users = np.concatenate([some.users, others.users])
    return _Events(np.concatenate([some.at, others.at]), np.concatenate([some.items, others.items]), users)


def _already(events: _Events, taken: _Events) -> NDArray[np.bool_]:
    """Which events (E,) repeat what their user took before; without users none is known to."""
    if events.users is None or taken.users is None:
        return np.zeros(len(events.items), dtype=np.bool_)
    return np.isin(_pairs(events), _pairs(taken))


def _pairs(events: _Events) -> Ints:
    assert events.users is not None
    return events.users << 32 | events.items.astype(np.int64)


def _write_queries(schema: Schema, events: _Events, taken: _Events, split: str, visible: Path, hidden: Path) -> int:
    """One query for all events that look the same without their item; returns how many."""
    group = _same_situation(schema, events, split, visible)  # (E,)
    _, first = np.unique(group, return_index=True)
    answers = _lists(group, events.items, len(first), Answers)
    for folder in (visible, hidden) if split == "valid" else (hidden,):
        answers.save(folder, f"{split}.answers")
    if events.users is not None and taken.users is not None:
        users = events.users[first]  # (Q,)
        np.save(hidden / f"{split}.groups.npy", users)
        _taken_by(users, taken).save(visible, f"{split}.taken")
    hide_items(schema, visible, split, events.at[first])
    return len(first)


def _same_situation(schema: Schema, events: _Events, split: str, visible: Path) -> Ints:
    """A number (E,) that events share which are the same query, in the order of the first of them."""
    of_ids, of_numeric = schema.item_columns
    columns = [np.delete(np.load(visible / f"{split}.ids.npy", mmap_mode="r")[events.at], of_ids, axis=1)]
    numeric = np.delete(np.load(visible / f"{split}.numeric.npy", mmap_mode="r")[events.at], of_numeric, axis=1)
    columns.append(np.ascontiguousarray(numeric).view(np.int32))
    columns += [np.load(visible / f"{split}.history.{s.name}.npy", mmap_mode="r")[events.at] for s in schema.sequences]
    if schema.vectors:  # values that train does not teach have one id, but vectors of their own
        of_item = schema.item_vectors
        columns.append(np.delete(np.load(visible / f"{split}.vector_rows.npy", mmap_mode="r")[events.at], of_item, axis=1))
    if events.users is not None:
        columns.append(events.users[:, None].view(np.int32))
    whole = np.ascontiguousarray(np.concatenate(columns, axis=1))
    as_one = (
        whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel() if whole.shape[1] else np.zeros(len(whole))
    )
    _, first, group = np.unique(as_one, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    return place[group]


def _lists(group: Ints, items: NDArray[np.int32], n: int, kind: type[ItemLists]) -> ItemLists:
    """The distinct items of each of n groups."""
    pairs = np.unique(group << 32 | items.astype(np.int64))
    counts = np.bincount(pairs >> 32, minlength=n)
    return kind(np.concatenate([[0], np.cumsum(counts)]), (pairs & 0xFFFFFFFF).astype(np.int32))


def _taken_by(users: Ints, taken: _Events) -> ItemLists:
    """What each user (Q,) took before."""
    pairs = np.unique(_pairs(taken))
    owners, items = pairs >> 32, (pairs & 0xFFFFFFFF).astype(np.int32)
    starts, ends = np.searchsorted(owners, users, "left"), np.searchsorted(owners, users, "right")
    counts = ends - starts
    offsets = np.concatenate([[0], np.cumsum(counts)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return ItemLists(offsets, items[np.repeat(starts, counts) + within])
