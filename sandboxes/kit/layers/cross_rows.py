"""Where combinations of two categories stand in a table: by their number, or by its hash where there are too many.

Notation: B rows, C categorical fields, P pairs of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.schema import Schema

ODD = (0x9E3779B97F4A7C15 - (1 << 64), 0xBF58476D1CE4E5B9 - (1 << 64))  # multipliers that spread bits, as int64


class CrossRows(nn.Module):
    """ids (B, C) -> rows (B, P) of a table of `n_rows`, int64, for the pairs of categorical fields `first` and `second` (P,).

    A pair has as many rows as there are combinations, or `buckets` where there are more: some of these then share one.
    """

    first: Tensor
    second: Tensor
    hashed: Tensor
    sizes: Tensor
    starts: Tensor
    cardinalities: Tensor

    def __init__(self, schema: Schema, first: Tensor, second: Tensor, buckets: int) -> None:
        super().__init__()
        cardinalities = torch.tensor([f.cardinality for f in schema.categorical], dtype=torch.int64)
        combinations = cardinalities[first] * cardinalities[second]  # (P,)
        sizes = combinations.clamp(max=buckets)
        buffers = {"first": first, "second": second, "sizes": sizes, "starts": sizes.cumsum(0) - sizes}
        for name, buffer in {**buffers, "cardinalities": cardinalities, "hashed": combinations > buckets}.items():
            self.register_buffer(name, buffer, persistent=False)
        self.n_rows = int(sizes.sum())

    def forward(self, ids: Tensor) -> Tensor:
        number = ids[:, self.first] * self.cardinalities[self.second] + ids[:, self.second]  # (B, P)
        return torch.where(self.hashed, scrambled(number), number) % self.sizes + self.starts


def scrambled(numbers: Tensor) -> Tensor:
    """int64 to int64, any shape: a fixed one-to-one mapping after which even neighbours fall into unrelated buckets."""
    for odd in ODD:
        numbers = (numbers ^ (numbers >> 31)) * odd  # wraps around
    return numbers ^ (numbers >> 31)
