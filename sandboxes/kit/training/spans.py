"""Parts of the training rows: a span of time, as a stage names it by shares of rows; and a random share of them.

Notation: n rows, m of them in the span, B rows asked for.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.training.rows import Rows, Timed


def rows_of(stage: Stage, train: Rows) -> Rows:
    """The rows of `train` that `stage` goes through. Raises `ValueError` where their times are not known, or there are none."""
    if stage.rows == (0.0, 1.0):
        return train
    order = train.order if isinstance(train, Timed) else None
    if order is None:
        raise ValueError(f"stage {stage.name} goes through rows in order of time, and the data does not say when its rows were")
    first, last = (round(share * len(train)) for share in stage.rows)
    if first == last:
        raise ValueError(f"stage {stage.name} has no rows: {len(train):,} are too few for so narrow a span of time")
    return Span(train, np.sort(order[first:last]))  # as they lie on disk: order within the span does not matter


def drawn(rows: Rows, share: float, seed: int) -> Rows:
    """A `share` of the rows, drawn once by the seed, and at least one of them."""
    return rows if share == 1 else Span(rows, chosen(len(rows), share, seed))


def chosen(n: int, share: float, seed: int) -> NDArray[np.int64]:
    """The numbers of that share of n rows, ascending."""
    return np.sort(np.random.default_rng(seed).choice(n, max(1, round(share * n)), replace=False))


class Span:
    """Those of `rows` whose numbers are `chosen` (m,), ascending."""

    def __init__(self, rows: Rows, chosen: NDArray[np.int64]) -> None:
        self._rows, self._chosen = rows, chosen

    @cached_property
    def labels(self) -> NDArray[np.float32] | None:
        labels = self._rows.labels
        return None if labels is None else labels[self._chosen]

    def __len__(self) -> int:
        return len(self._chosen)

    def batch(self, rows: NDArray[np.int64] | slice) -> Batch:
        """The rows given by their place in the span, by index (B,) or slice."""
        chosen = self._chosen[rows]
        if isinstance(rows, slice) and len(chosen) and chosen[-1] - chosen[0] == len(chosen) - 1:  # neighbours on disk too
            return self._rows.batch(slice(int(chosen[0]), int(chosen[-1]) + 1))
        return self._rows.batch(chosen)
