"""Brings rows to the device that trains: all of them once where they fit, else batch by batch, one ahead of its use.

On the processor itself there is nothing to bring. Notation: n rows, B batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from sandboxes.kit.batch import Batch, joined
from sandboxes.kit.training.rows import Rows, Timed, bytes_a_row

SHARE_FOR_ROWS = 0.4  # of the device's free memory; the rest is for the model and its activations
ROWS_AT_ONCE = 1 << 16


class Resident:
    """Rows that lie on a device as a whole, so that a batch is a lookup there."""

    def __init__(self, rows: Rows, device: str) -> None:
        self.labels, self._device = rows.labels, device
        self.order = rows.order if isinstance(rows, Timed) else None
        starts = range(0, len(rows), ROWS_AT_ONCE)
        self._all = joined([rows.batch(slice(s, min(s + ROWS_AT_ONCE, len(rows)))).to(device) for s in starts])

    def __len__(self) -> int:
        return len(self._all)

    def batch(self, rows: np.ndarray | slice) -> Batch:
        if isinstance(rows, slice):
            return self._all[rows]
        return self._all[torch.from_numpy(rows).to(self._device, non_blocking=True)]


def placed(rows: Rows, device: str) -> Rows:
    """`rows` on `device`, where they fit beside a model; else as they are."""
    if torch.device(device).type != "cuda" or len(rows) == 0:
        return rows
    free, _ = torch.cuda.mem_get_info(device)
    return Resident(rows, device) if 2 * len(rows) * bytes_a_row(rows) < SHARE_FOR_ROWS * free else rows  # twice: joining copies


def brought(batches: Iterable[Batch], device: str) -> Iterator[Batch]:
    """The batches on `device`. To a graphics card the next one travels while this one is used."""
    if torch.device(device).type != "cuda":
        yield from batches
        return
    way, waiting = torch.cuda.Stream(device), None  # type: ignore[no-untyped-call]
    for batch in batches:
        way.wait_stream(torch.cuda.current_stream(device))  # else a copy could overwrite a batch that is still being used
        with torch.cuda.stream(way):
            moved = batch.pinned().to(device, non_blocking=True) if batch.device.type == "cpu" else batch
        if waiting is not None:
            yield waiting
        torch.cuda.current_stream(device).wait_stream(way)
        waiting = moved
    if waiting is not None:
        yield waiting
