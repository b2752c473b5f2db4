"""A batch of rows as tensors.

Notation: B rows, C categorical fields, N numeric fields, L history length, T tasks, W width of vectors made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sandboxes.kit.vector_table import VectorTable


@dataclass
class Batch:
    """Rows of a prepared data set, columns in the order of the schema.

    `labels` is None for rows whose labels are hidden; NaN marks a label that was not observed. `answer` is the item that
    belongs to a row in training, where a model predicts items; rows have no labels then. Vectors made elsewhere are looked up
    when they are asked for, by `vector_rows`, in `tables` that batches share.
    """

    ids: Tensor  # (B, C) int64, local ids
    numeric: Tensor  # (B, N) float32
    history: dict[str, Tensor] = field(default_factory=dict)  # each (B, L) int64, oldest first, 0 = padding
    labels: Tensor | None = None  # (B, T) float32
    answer: Tensor | None = None  # (B,) int64
    vector_rows: dict[str, Tensor] = field(default_factory=dict)  # each (B,) int64, by the name of a vector field
    tables: Mapping[str, VectorTable] = field(default_factory=dict)  # of the same names

    def __len__(self) -> int:
        return self.ids.shape[0]

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        """The batch of the given rows, in the given order."""
        return self._each(lambda tensor: tensor[rows])

    def vectors(self, name: str) -> Tensor:
        """The vectors (B, W) of the vector field `name`: the last number is 1, and all are 0 where a row has none."""
        found: Tensor = self.tables[name](self.vector_rows[name])
        return found

    @property
    def device(self) -> torch.device:
        return self.ids.device

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        return self._each(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pinned(self) -> Batch:
        """In memory that a graphics card can read by itself."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(
            ids=change(self.ids),
            numeric=change(self.numeric),
            history={name: change(h) for name, h in self.history.items()},
            labels=None if self.labels is None else change(self.labels),
            answer=None if self.answer is None else change(self.answer),
            vector_rows={name: change(rows) for name, rows in self.vector_rows.items()},
            tables=self.tables,
        )


def joined(batches: Sequence[Batch]) -> Batch:
    """The rows of all batches, one after the other; all have labels or answers, or none has."""
    labels = [b.labels for b in batches if b.labels is not None]
    answers = [b.answer for b in batches if b.answer is not None]
    return Batch(
        ids=torch.cat([b.ids for b in batches]),
        numeric=torch.cat([b.numeric for b in batches]),
        history={name: torch.cat([b.history[name] for b in batches]) for name in batches[0].history},
        labels=torch.cat(labels) if labels else None,
        answer=torch.cat(answers) if answers else None,
        vector_rows={name: torch.cat([b.vector_rows[name] for b in batches]) for name in batches[0].vector_rows},
        tables=batches[0].tables,
    )
