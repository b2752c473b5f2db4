"""Metrics of ranked lists over all items, and the answers that they are measured by.

Notation: Q queries, K places of a list, A items of the lists of all queries together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

NOTHING = -1  # stands in places of a list that hold no item
LONGEST = 100  # places of the lists that models hand in
CUTOFF = 20  # places that the primary metrics look at

Floats = NDArray[np.float64]
Ids = NDArray[np.integer]


@dataclass(frozen=True)
class ItemLists:
    """Distinct items for each query: items[offsets[q] : offsets[q + 1]]."""

    offsets: NDArray[np.int64]  # (Q + 1,)
    items: NDArray[np.int32]  # (A,)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Items of each query (Q,)."""
        return np.diff(self.offsets)

    def within(self, queries: slice) -> Self:
        """Those of some queries that follow one another."""
        offsets = self.offsets[queries.start : queries.stop + 1]
        return replace(self, offsets=offsets - offsets[0], items=self.items[offsets[0] : offsets[-1]])

    def save(self, folder: Path, name: str) -> None:
        """Under a name such as "valid.answers"."""
        np.save(folder / f"{name}.offsets.npy", self.offsets)
        np.save(folder / f"{name}.items.npy", self.items)

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        """Raises `FileNotFoundError` when the folder holds none of the name."""
        offsets = np.load(folder / f"{name}.offsets.npy", allow_pickle=False)
        return cls(offsets, np.load(folder / f"{name}.items.npy", allow_pickle=False))


class Answers(ItemLists):
    """What was right for each query, at least one item."""


def recall_at(ranked: Ids, answers: Answers, k: int = CUTOFF) -> Floats:
    """Each query's share (Q,) of all its answers that stand among the first k of its list (Q, K)."""
    return np.asarray(hits(ranked, answers)[:, :k].sum(1) / answers.counts)


def ndcg_at(ranked: Ids, answers: Answers, k: int = CUTOFF) -> Floats:
    """Each query's discounted gain over the best there can be (Q,): sum over hits at place r of 1 / log2(r + 1), r from 1.

    Source: Järvelin and Kekäläinen, TOIS 2002, with gains of 0 and 1.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))  # (k,)
    found = hits(ranked, answers)[:, :k]
    best = np.cumsum(discounts)[np.minimum(answers.counts, k) - 1]  # (Q,)
    return np.asarray(found @ discounts[: found.shape[1]] / best)


def hits(ranked: Ids, answers: Answers) -> NDArray[np.bool_]:
    """Which places (Q, K) hold an answer. `ranked` holds each item at most once a row, `NOTHING` where there is none."""
    if ranked.ndim != 2 or len(ranked) != len(answers):
        raise ValueError(f"lists {ranked.shape} do not belong to {len(answers)} queries")
    if not len(answers.items):
        return np.zeros(ranked.shape, dtype=np.bool_)
    span = int(max(answers.items.max(), ranked.max(initial=0))) + 2
    right = np.repeat(np.arange(len(answers)), answers.counts) * span + answers.items
    asked = np.arange(len(ranked))[:, None] * span + ranked.astype(np.int64)
    return np.asarray(np.isin(asked, right) & (ranked != NOTHING))
