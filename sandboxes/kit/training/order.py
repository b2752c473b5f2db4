"""The order in which training sees its rows: new in every epoch, the same for the same generator, in bounded memory.

Small splits are shuffled as a whole. Of larger ones, blocks of neighbouring rows are drawn in random order until a window is
full, and the window is shuffled: rows that lie together in the table seldom meet in a batch, and memory does not grow with the
number of rows. Notation: n rows, B batch, T tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sandboxes.kit.batch import Batch, joined
from sandboxes.kit.team import Team
from sandboxes.kit.training.rows import Rows, bytes_a_row

WINDOW_BYTES = 1 << 28
BLOCK_ROWS = 4096  # read at once from disk


def shuffled(rows: Rows, batch_size: int, order: torch.Generator, window_bytes: int = WINDOW_BYTES) -> Iterator[Batch]:
    """Every row once, in batches of `batch_size`; the last of a window may be smaller."""
    for source, drawn in _draws(rows, batch_size, order, window_bytes):
        yield source.batch(drawn)


@dataclass(frozen=True)
class Part:
    """A member's part of a batch of `rows` rows, and its weights: the sum over the team of weighted means is the batch's mean.

    Where a batch has too few rows for all, a member left over has its first row, with weights of 0.
    """

    batch: Batch
    rows: int
    weight: Tensor  # (): of a mean over rows
    task_weights: Tensor  # (T,): of means over the observed labels of each task

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def device(self) -> torch.device:
        return self.batch.device

    def to(self, device: str) -> Part:
        return Part(self.batch.to(device), self.rows, self.weight.to(device), self.task_weights.to(device))


def shared_out(
    rows: Rows, batch_size: int, order: torch.Generator, team: Team, window_bytes: int = WINDOW_BYTES
) -> Iterator[Part]:
    """This member's parts of the batches that `shuffled` gives for the same generator, which all members need alike.

    Of a small split it reads its own rows alone; of a larger one every window as a whole.
    """
    for source, drawn in _draws(rows, batch_size, order, window_bytes):
        labels = source.labels
        observed = np.ones((len(drawn), 1), np.bool_) if labels is None else ~np.isnan(labels[drawn])  # (B, T)
        own = team.part(slice(0, len(drawn)))
        seen, of = observed[own].sum(0), np.maximum(observed.sum(0), 1)
        yield Part(
            batch=source.batch(drawn[own] if own.start < own.stop else drawn[:1]),
            rows=len(drawn),
            weight=torch.tensor((own.stop - own.start) / len(drawn)),
            task_weights=torch.from_numpy((seen / of).astype(np.float32)),
        )


class _Window:
    """A window's rows, in memory."""

    def __init__(self, rows: Batch) -> None:
        self._rows = rows

    @property
    def labels(self) -> NDArray[np.float32] | None:
        return None if self._rows.labels is None else self._rows.labels.cpu().numpy()

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, rows: np.ndarray | slice) -> Batch:
        return self._rows[rows if isinstance(rows, slice) else torch.from_numpy(rows)]


def _draws(rows: Rows, batch_size: int, order: torch.Generator, window_bytes: int) -> Iterator[tuple[Rows, NDArray[np.int64]]]:
    """Batch after batch: what to take it from, and which rows of that (B,)."""
    n = len(rows)
    whole = n * bytes_a_row(rows) <= window_bytes
    for source in [rows] if whole else map(_Window, _windows(rows, batch_size, order, window_bytes)):
        drawn = torch.randperm(len(source), generator=order).numpy()
        for start in range(0, len(source), batch_size):
            yield source, drawn[start : start + batch_size]


def _windows(rows: Rows, batch_size: int, order: torch.Generator, window_bytes: int) -> Iterator[Batch]:
    """The rows in windows of random blocks; a window holds a whole number of batches where blocks allow it."""
    starts: list[int] = (torch.randperm(-(-len(rows) // BLOCK_ROWS), generator=order) * BLOCK_ROWS).tolist()
    wanted = max(1, window_bytes // (bytes_a_row(rows) * BLOCK_ROWS))
    of_batch = max(1, batch_size // BLOCK_ROWS)
    blocks = max(1, wanted // of_batch) * of_batch
    for first in range(0, len(starts), blocks):
        yield joined([rows.batch(slice(s, min(s + BLOCK_ROWS, len(rows)))) for s in starts[first : first + blocks]])
