"""An embedding table: what all lookups of the kit go through, so that training can update just the rows that a batch looks up.

Notation: V rows, D width, B batch, L entries pooled.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

INITIAL_STD = 0.01  # of the vectors before training; small, so that products of vectors start near zero


class Table(nn.Embedding):
    """`weight` (V, D), initialised from a normal distribution. Rows are int64.

    While `watcher` is set, it hears of the rows of every lookup before they are read, and gradients are sparse: they name the
    rows that were looked up, each as often as it was. Using `weight` in another way is allowed, and then its gradient is dense.
    """

    watcher: Callable[[Tensor], None] | None

    def __init__(self, rows: int, width: int, std: float = INITIAL_STD) -> None:
        super().__init__(rows, width, _weight=torch.empty(rows, width).normal_(std=std))  # once: a table can be large
        self.watcher = None

    # Sparse gradients and a watcher cannot be compiled, and a lookup gains nothing by it.
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, rows: Tensor) -> Tensor:
        """Any shape (...) -> (..., D)."""
        self._tell(rows)
        return functional.embedding(rows, self.weight, sparse=self.watcher is not None)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def pooled(self, rows: Tensor, padding_row: int) -> Tensor:
        """(B, L) -> (B, D): the mean over entries that are not `padding_row`; zeros where there are none."""
        self._tell(rows)
        sparse = self.watcher is not None
        return functional.embedding_bag(rows, self.weight, mode="mean", padding_idx=padding_row, sparse=sparse)

    def _tell(self, rows: Tensor) -> None:
        if self.watcher is not None:
            self.watcher(rows)
