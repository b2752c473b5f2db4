"""The order in which training sees its rows: new in every epoch, the same for the same generator, in bounded memory.

Small splits are shuffled as a whole. Of larger ones, blocks of neighbouring rows are drawn in random order until a window is
full, and the window is shuffled: rows that lie together in the table seldom meet in a batch, and memory does not grow with the
number of rows. Notation: n rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from sandboxes.kit.batch import Batch, joined
from sandboxes.kit.training.rows import Rows

WINDOW_BYTES = 1 << 28
BLOCK_ROWS = 4096  # read at once from disk


def shuffled(rows: Rows, batch_size: int, order: torch.Generator, window_bytes: int = WINDOW_BYTES) -> Iterator[Batch]:
    """Every row once, in batches of `batch_size`; the last of a window may be smaller."""
    n = len(rows)
    if n * _bytes_a_row(rows) <= window_bytes:
        everything = torch.randperm(n, generator=order).numpy()
        for start in range(0, n, batch_size):
            yield rows.batch(everything[start : start + batch_size])
        return
    for window in _windows(rows, batch_size, order, window_bytes):
        inside = torch.randperm(len(window), generator=order)
        for start in range(0, len(window), batch_size):
            yield window[inside[start : start + batch_size]]


def _windows(rows: Rows, batch_size: int, order: torch.Generator, window_bytes: int) -> Iterator[Batch]:
    """The rows in windows of random blocks; a window holds a whole number of batches where blocks allow it."""
    starts: list[int] = (torch.randperm(-(-len(rows) // BLOCK_ROWS), generator=order) * BLOCK_ROWS).tolist()
    wanted = max(1, window_bytes // (_bytes_a_row(rows) * BLOCK_ROWS))
    of_batch = max(1, batch_size // BLOCK_ROWS)
    blocks = max(1, wanted // of_batch) * of_batch
    for first in range(0, len(starts), blocks):
        yield joined([rows.batch(slice(s, min(s + BLOCK_ROWS, len(rows)))) for s in starts[first : first + blocks]])


def _bytes_a_row(rows: Rows) -> int:
    """What a row takes as part of a batch."""
    one = rows.batch(slice(0, 1))
    parts = [one.ids, one.numeric, *one.history.values(), *([] if one.labels is None else [one.labels])]
    return max(1, sum(part.numel() * part.element_size() for part in parts))
