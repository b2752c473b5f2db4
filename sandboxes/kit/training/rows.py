"""What training asks of data: a number of rows, their labels, batches of them. Notation: n rows, T tasks, B rows asked for."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from sandboxes.kit.batch import Batch
from sandboxes.kit.ranking import Answers, ItemLists


class Rows(Protocol):
    """A split of a prepared data set. `labels` is (n, T), NaN for unobserved; None where hidden, or where there are answers."""

    @property
    def labels(self) -> np.ndarray | None: ...

    def __len__(self) -> int: ...

    def batch(self, rows: np.ndarray | slice) -> Batch:
        """The rows given by index (B,) int64, in that order, or by slice."""
        ...


@runtime_checkable
class Queries(Rows, Protocol):
    """A split where models predict items: the `answers` to each query, None where hidden, and what its user had `taken`."""

    @property
    def answers(self) -> Answers | None: ...

    @property
    def taken(self) -> ItemLists | None: ...


def bytes_a_row(rows: Rows) -> int:
    """What a row takes as part of a batch."""
    one = rows.batch(slice(0, 1))
    parts = [
        one.ids,
        one.numeric,
        *one.history.values(),
        *one.vector_rows.values(),
        *(t for t in (one.labels, one.answer) if t is not None),
    ]
    return max(1, sum(part.numel() * part.element_size() for part in parts))
