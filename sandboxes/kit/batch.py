"""A batch of rows as tensors.

Notation: B rows, C categorical fields, N numeric fields, L history length, T tasks, T' of them whose positives arrive late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

Part = Tensor | dict[str, Tensor] | None


@dataclass
class Batch:
    """Rows of a prepared data set, columns in the order of the schema.

    `labels` is None for rows whose labels are hidden; NaN marks a label that was not observed. `answer` is the item that
    belongs to a row in training, where a model predicts items; rows have no labels then. Where it predicts actions, `answer` is
    the action that was taken, `propensity` the probability with which it was, and the one label the reward.

    Training rows alone, of data with delayed tasks, say how long each row had been watched when training began, and how long its
    positive took to arrive, NaN where none had; both in units of the mean delay seen. Predictions must not need either.
    """

    ids: Tensor  # (B, C) int64, local ids
    numeric: Tensor  # (B, N) float32
    history: dict[str, Tensor] = field(default_factory=dict)  # each (B, L) int64, oldest first, 0 = padding
    labels: Tensor | None = None  # (B, T) float32
    answer: Tensor | None = None  # (B,) int64
    propensity: Tensor | None = None  # (B,) float32, in (0, 1]
    elapsed: Tensor | None = None  # (B, T') float32
    delay: Tensor | None = None  # (B, T') float32

    def __len__(self) -> int:
        return self.ids.shape[0]

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        """The batch of the given rows, in the given order."""
        return self._each(lambda tensor: tensor[rows])

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
        for f in fields(self):
            part: Part = getattr(self, f.name)
            yield from part.values() if isinstance(part, dict) else () if part is None else (part,)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(**{f.name: _changed(getattr(self, f.name), change) for f in fields(self)})


def joined(batches: Sequence[Batch]) -> Batch:
    """The rows of all batches, one after the other; what one has, all have."""
    return Batch(**{f.name: _joined([getattr(b, f.name) for b in batches]) for f in fields(Batch)})


def _changed(part: Part, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(part, dict):
        return {name: change(tensor) for name, tensor in part.items()}
    return None if part is None else change(part)


def _joined(parts: Sequence[Part]) -> Any:
    if isinstance(first := parts[0], dict):
        return {name: torch.cat([part[name] for part in parts if isinstance(part, dict)]) for name in first}
    there = [part for part in parts if isinstance(part, Tensor)]
    return torch.cat(there) if there else None
