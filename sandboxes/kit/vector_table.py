"""Vectors made elsewhere, such as of images or texts: one table that all batches of a data set look up in common.

Batches carry row numbers alone, so that windows of rows, histories and the way to a device stay cheap.
Notation: V rows of the table, W width of a vector, B rows of a batch, L history length.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SHARE_FOR_TABLE = 0.2  # of a graphics card's free memory


class VectorTable:
    """(rows, any shape (...) int64) -> (..., W). `values` (V, W) float32 is a memory-mapped file as a rule, and is never trained.

    A graphics card gets a copy of its own at the first lookup there; where the table is too large for that, vectors are looked up
    where the table lies, and travel batch by batch.
    """

    def __init__(self, values: Tensor) -> None:
        self._by_device = {values.device: values}
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def __call__(self, rows: Tensor) -> Tensor:
        values = self._near(rows.device)
        return functional.embedding(rows.to(values.device), values).to(rows.device)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def pooled(self, rows: Tensor, padding_row: int = 0) -> Tensor:
        """(B, L) -> (B, W): the mean over entries that are not `padding_row`; zeros where there are none."""
        values = self._near(rows.device)
        bags = functional.embedding_bag(rows.to(values.device), values, mode="mean", padding_idx=padding_row)
        return bags.to(rows.device)

    def _near(self, device: torch.device) -> Tensor:
        """The values on `device`, or where they lie if they have no place there."""
        if device not in self._by_device:
            size = self.values.numel() * self.values.element_size()
            fits = device.type != "cuda" or size < SHARE_FOR_TABLE * torch.cuda.mem_get_info(device)[0]
            self._by_device[device] = self.values.to(device) if fits else self.values
        return self._by_device[device]
