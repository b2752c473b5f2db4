"""What training asks of data: a number of rows, their labels, batches of them. Notation: n rows, T tasks, B rows asked for."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sandboxes.kit.batch import Batch


class Rows(Protocol):
    """A split of a prepared data set. `labels` is (n, T) with NaN for unobserved, None where hidden."""

    @property
    def labels(self) -> np.ndarray | None: ...

    def __len__(self) -> int: ...

    def batch(self, rows: np.ndarray | slice) -> Batch:
        """The rows given by index (B,) int64, in that order, or by slice."""
        ...


def bytes_a_row(rows: Rows) -> int:
    """What a row takes as part of a batch."""
    one = rows.batch(slice(0, 1))
    parts = [one.ids, one.numeric, *one.history.values(), *([] if one.labels is None else [one.labels])]
    return max(1, sum(part.numel() * part.element_size() for part in parts))
