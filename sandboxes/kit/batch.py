"""A batch of rows as tensors.

Notation: B rows, C categorical fields, N numeric fields, L history length, T tasks, T' of them whose positives arrive late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Batch:
    """Rows of a prepared data set, columns in the order of the schema.

    `labels` is None for rows whose labels are hidden; NaN marks a label that was not observed. `answer` is the item that
    belongs to a row in training, where a model predicts items; rows have no labels then.

    Training rows alone, of data with delayed tasks, say how long each row had been watched when training began, and how long its
    positive took to arrive, NaN where none had; both in units of the mean delay seen. Predictions must not need either.
    """

    ids: Tensor  # (B, C) int64, local ids
    numeric: Tensor  # (B, N) float32
    history: dict[str, Tensor] = field(default_factory=dict)  # each (B, L) int64, oldest first, 0 = padding
    labels: Tensor | None = None  # (B, T) float32
    answer: Tensor | None = None  # (B,) int64
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

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        def changed(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else change(tensor)

        return Batch(
            ids=change(self.ids),
            numeric=change(self.numeric),
            history={name: change(h) for name, h in self.history.items()},
            labels=changed(self.labels),
            answer=changed(self.answer),
            elapsed=changed(self.elapsed),
            delay=changed(self.delay),
        )


def joined(batches: Sequence[Batch]) -> Batch:
    """The rows of all batches, one after the other; what one has of labels, answers and delays, all have."""
    return Batch(
        ids=torch.cat([b.ids for b in batches]),
        numeric=torch.cat([b.numeric for b in batches]),
        history={name: torch.cat([b.history[name] for b in batches]) for name in batches[0].history},
        labels=_joined([b.labels for b in batches]),
        answer=_joined([b.answer for b in batches]),
        elapsed=_joined([b.elapsed for b in batches]),
        delay=_joined([b.delay for b in batches]),
    )


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None
