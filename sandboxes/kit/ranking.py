"""Metrics of ranked lists over all items, and the answers that they are measured by.

Notation: Q queries, K places of a list, A answers of all queries together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

NOTHING = -1  # stands in places of a list that hold no item
LONGEST = 100  # places of the lists that models hand in
CUTOFF = 20  # places that the primary metrics look at

Floats = NDArray[np.float64]
Ids = NDArray[np.integer]


@dataclass(frozen=True)
class Answers:
    """What was right for each query: items[offsets[q] : offsets[q + 1]], distinct, at least one."""

    offsets: NDArray[np.int64]  # (Q + 1,)
    items: NDArray[np.int32]  # (A,)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Answers of each query (Q,)."""
        return np.diff(self.offsets)

    def save(self, folder: Path, split: str) -> None:
        np.save(folder / f"{split}.answer_offsets.npy", self.offsets)
        np.save(folder / f"{split}.answers.npy", self.items)

    @classmethod
    def load(cls, folder: Path, split: str) -> Answers:
        """Raises `FileNotFoundError` when the folder holds none for the split."""
        offsets = np.load(folder / f"{split}.answer_offsets.npy", allow_pickle=False)
        return cls(offsets, np.load(folder / f"{split}.answers.npy", allow_pickle=False))


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
    return np.isin(asked, right) & (ranked != NOTHING)
