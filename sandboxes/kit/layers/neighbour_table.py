"""A table whose rows are looked up together with those that occur with them.

Notation: V rows, D width, A attributes and K companions of a row, B batch, L entries pooled, U distinct rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sandboxes.kit.layers.table import INITIAL_STD, DerivedTable


class NeighbourTable(DerivedTable):
    """Looks up h_v by light propagation, without weights or nonlinearities, over two graphs of rows one after the other: the mean
    of a row's vector and of its attributes' mean; then, `n_layers` times, the mean of that and of the companions' mean of the
    same. A row without neighbours keeps what it has.

    In training, companions take part from the progress `attributes_first` on; in evaluation always, as they are served. Each
    vector that a batch needs is propagated once.
    """

    attributes: Tensor  # (V, K) int32, -1 where there are fewer
    companions: Tensor  # (V, K) likewise

    def __init__(
        self,
        rows: int,
        width: int,
        std: float = INITIAL_STD,
        *,
        n_neighbours: int = 4,
        n_layers: int = 1,
        attributes_first: float = 0.0,
    ) -> None:
        super().__init__(rows, width, std)
        self.n_layers, self.attributes_first, self.progress = n_layers, attributes_first, 1.0
        for name in ("attributes", "companions"):
            self.register_buffer(name, torch.full((rows, n_neighbours), -1, dtype=torch.int32))

    def set_progress(self, progress: float) -> None:
        self.progress = progress

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, rows: Tensor) -> Tensor:
        """Any shape (...) -> (..., D)."""
        later = self.training and self.progress < self.attributes_first
        distinct, place = torch.unique(rows, return_inverse=True)  # (U,), (...)
        vectors = self._propagated(distinct, [self.attributes, *[self.companions] * (0 if later else self.n_layers)])
        return vectors[place]

    def _propagated(self, rows: Tensor, graphs: Sequence[Tensor]) -> Tensor:
        """Vectors (U, D) of distinct rows (U,) after propagation over the graphs in their order."""
        if not graphs:
            vectors: Tensor = super().forward(rows)
            return vectors
        neighbours = graphs[-1][rows].long()  # (U, K)
        there = neighbours >= 0
        needed, place = torch.unique(torch.cat([rows, neighbours[there]]), return_inverse=True)
        vectors = self._propagated(needed, graphs[:-1])
        own, theirs = vectors[place[: len(rows)]], vectors[place[len(rows) :]]  # (U, D), one of each neighbour
        owner = there.nonzero()[:, 0]
        count = there.sum(1, keepdim=True)  # (U, 1)
        mean = torch.zeros_like(own).index_add(0, owner, theirs) / count.clamp(min=1)
        return torch.where(count > 0, (own + mean) / 2, own)
