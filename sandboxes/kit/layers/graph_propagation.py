"""Propagation over the graph of users and items: a node's vector is the mean of what its neighbourhood of every depth says.

Notation: U ids of the user field, I ids of the target item, E events, D width.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn


class GraphPropagation(nn.Module):
    """(users (U, D), items (I, D)) -> the same, propagated (He et al., SIGIR 2020, eq. 3, 4, 7): layer k + 1 of a node is the
    sum of layer k over its neighbours, each divided by the root of both degrees; the mean over layers 0 to `n_layers` comes
    out.

    Where items are also joined to one another, by `join_items`, an item's next layer is that sum in part, and in part the same
    kind of sum over the items it is joined to.

    There is no graph before `connect`, and it is not kept with a model's weights: what predictions need are the propagated
    vectors.
    """

    forth: Tensor  # (U, I) compressed rows: 1 / sqrt(degree of user x degree of item) where an event is
    back: Tensor  # (I, U), its transpose
    among: Tensor  # (I, I) compressed rows, symmetric: weight / sqrt(sum of one's weights x the other's) of joined items
    share: Tensor  # (I, 1) of an item's next layer that comes from the items it is joined to

    def __init__(self, n_layers: int = 3) -> None:
        super().__init__()
        self.n_layers = n_layers
        for name in ("forth", "back", "among", "share"):
            self.register_buffer(name, torch.zeros(0), persistent=False)

    @property
    def connected(self) -> bool:
        return self.forth.dim() == 2

    def connect(self, events: Tensor, n_users: int, n_items: int) -> None:
        """`events` (E, 2) int64: the user and the item of each; repetitions count once."""
        users, items = torch.unique(events, dim=0).T
        weights = (torch.bincount(users)[users] * torch.bincount(items)[items]).to(torch.float32).rsqrt()
        graph = torch.sparse_coo_tensor(torch.stack([users, items]), weights, (n_users, n_items), check_invariants=True)
        self.forth, self.back = compressed(graph), compressed(graph.t())

    def join_items(self, neighbours: Tensor, weights: Tensor, share: float) -> None:
        """Joins each item to its `neighbours` (I, K) of positive `weights` (I, K), and these to it: two that are each other's
        weigh twice. `share` is that of the joined items where there are any; others hear of users alone."""
        n_items, of_each = neighbours.shape
        pairs = torch.stack([torch.arange(n_items).repeat_interleave(of_each), neighbours.flatten()])  # (2, I * K)
        pairs, weights = pairs[:, weights.flatten() > 0], weights[weights > 0]
        both = torch.cat([pairs, pairs.flip(0)], 1), torch.cat([weights, weights])
        graph = torch.sparse_coo_tensor(*both, (n_items, n_items), check_invariants=True).coalesce()
        (one, other), summed = graph.indices(), graph.values()
        degrees = torch.zeros(n_items).index_add_(0, one, summed)
        values = summed * (degrees[one] * degrees[other]).rsqrt()
        self.among = compressed(torch.sparse_coo_tensor(graph.indices(), values, (n_items, n_items), check_invariants=True))
        self.share = share * (degrees > 0).to(torch.float32).unsqueeze(1)

    def forward(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        sums = users, items
        for _ in range(self.n_layers):
            users, items = sparse_product(self.forth, self.back, items), self._next_items(users, items)
            sums = sums[0] + users, sums[1] + items
        return sums[0] / (self.n_layers + 1), sums[1] / (self.n_layers + 1)

    def _next_items(self, users: Tensor, items: Tensor) -> Tensor:
        told = sparse_product(self.back, self.forth, users)
        if self.among.dim() != 2:
            return told
        return torch.lerp(told, sparse_product(self.among, self.among, items), self.share)


def compressed(graph: Tensor) -> Tensor:
    """A sparse matrix by its rows, as `sparse_product` takes it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return graph.coalesce().to_sparse_csr()


def sparse_product(matrix: Tensor, transposed: Tensor, vectors: Tensor) -> Tensor:
    """A constant `compressed` matrix (n, m), given with its transpose, times vectors (m, D)."""
    product: Tensor = _Product.apply(matrix, transposed, vectors)  # type: ignore[no-untyped-call]
    return product


class _Product(torch.autograd.Function):
    """A constant sparse matrix times vectors; torch's own would transpose the matrix anew for every gradient."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transposed: Tensor, vectors: Tensor) -> Tensor:
        ctx.transposed = transposed
        return matrix @ vectors

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor]:
        return None, None, ctx.transposed @ gradient.contiguous()
