"""A batch of rows as tensors.

Notation: B rows, C categorical fields, N numeric fields, L history length, T tasks, T' of them whose positives arrive late,
W width of vectors made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from sandboxes.kit.vector_table import VectorTable

Part = Tensor | dict[str, Tensor] | None


@dataclass
class Batch:
    """Rows of a prepared data set, columns in the order of the schema.

    `labels` is None for rows whose labels are hidden; NaN marks a label that was not observed. `answer` is the item that
    belongs to a row in training, where a model predicts items; rows have no labels then. Where it predicts actions, `answer` is
    the action that was taken, `propensity` the probability with which it was, and the one label the reward.

    Training rows alone, of data with delayed tasks, say how long each row had been watched when training began, and how long its
    positive took to arrive, NaN where none had; both in units of the mean delay seen. Predictions must not need either.

    Vectors made elsewhere are looked up when they are asked for, by `vector_rows`, in `tables` that batches share.
    """

    ids: Tensor  # (B, C) int64, local ids
    numeric: Tensor  # (B, N) float32
    history: dict[str, Tensor] = field(default_factory=dict)  # each (B, L) int64, oldest first, 0 = padding
    labels: Tensor | None = None  # (B, T) float32
    answer: Tensor | None = None  # (B,) int64
    propensity: Tensor | None = None  # (B,) float32, in (0, 1]
    elapsed: Tensor | None = None  # (B, T') float32
    delay: Tensor | None = None  # (B, T') float32
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

    def tensors(self) -> Iterator[Tensor]:
        """All that the batch holds."""
        for name in PARTS:
            part: Part = getattr(self, name)
            yield from part.values() if isinstance(part, dict) else () if part is None else (part,)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(**{name: _changed(getattr(self, name), change) for name in PARTS}, tables=self.tables)


PARTS = tuple(f.name for f in fields(Batch) if f.name != "tables")  # what has rows


def joined(batches: Sequence[Batch]) -> Batch:
    """The rows of all batches, one after the other; what one has, all have."""
    return Batch(**{name: _joined([getattr(b, name) for b in batches]) for name in PARTS}, tables=batches[0].tables)


def _changed(part: Part, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(part, dict):
        return {name: change(tensor) for name, tensor in part.items()}
    return None if part is None else change(part)


def _joined(parts: Sequence[Part]) -> Any:
    if isinstance(first := parts[0], dict):
        return {name: torch.cat([part[name] for part in parts if isinstance(part, dict)]) for name in first}
    there = [part for part in parts if isinstance(part, Tensor)]
    return torch.cat(there) if there else None
