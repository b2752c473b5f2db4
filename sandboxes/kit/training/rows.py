"""What training asks of data: a number of rows, their labels, batches of them. Notation: n rows, T tasks, B rows asked for."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.batch import Batch
from sandboxes.kit.ranking import Answers, ItemLists


class Rows(Protocol):
    """A split of a prepared data set. `labels` is (n, T), NaN for unobserved; None where hidden, or where items are predicted."""

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


@runtime_checkable
class Decisions(Rows, Protocol):
    """A split of logged decisions: the action taken in each, as its one answer, and its `propensity`; None where hidden."""

    @property
    def answers(self) -> Answers | None: ...

    @property
    def propensity(self) -> np.ndarray | None: ...


@runtime_checkable
class Timed(Rows, Protocol):
    """A split that may know how its rows follow one another in time."""

    @property
    def order(self) -> np.ndarray | None:
        """The rows (n,) by number, earliest first; None where their times are not known."""
        ...


def bytes_a_row(rows: Rows) -> int:
    """What a row takes as part of a batch."""
    return max(1, sum(part.numel() * part.element_size() for part in rows.batch(slice(0, 1)).tensors()))


def spread(rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """At most `n` of `rows`, evenly spaced."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(np.int64)]
