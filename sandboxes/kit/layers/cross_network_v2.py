"""Cross network with weight matrices, full or of low rank. Notation: B rows, K = F * D input width, R rank."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense

CARD = Card(
    name="cross_network_v2",
    block="CrossNetworkV2",
    slot="interaction",
    placement="parallel",
    flat_input=True,
    summary="Stacks cross layers with weight matrices on the flat embeddings: the input times a linear map of "
    "the last layer, element-wise.",
    equation="x_{l+1} = x_0 * (W_l x_l + b_l) + x_l, element-wise product; W_l = U_l V_l^T when rank > 0"
    " (Wang et al., WWW 2021, eq. 1 and section 4.2)",
    cues=(
        "cross network with weight matrix",
        "improved cross network",
        "cross layer with a full weight matrix",
        "full-rank cross layer",
        "low-rank cross layer",
        "low-rank cross network",
        "low-rank approximation of the cross weight matrix",
        "matrix-wise cross layer",
        "learned weight matrix in each cross layer",
        "weight matrix of the cross layer",
        "cross layer with hadamard product",
        "element-wise product with the base layer",
        "element-wise product of the original input and the linear transformation of the current layer",
        "hadamard product of the base features and the projected state",
        "explicit bounded-degree cross features with matrices",
        "low-rank matrices in the cross layer",
    ),
    descriptions=(
        (
            "Each cross layer multiplies the base embedding element by element with a linear transformation of the "
            "previous layer's output."
        ),
        "A full weight matrix in each cross layer gives every pair of elements its own interaction weight.",
        "The learned cross matrix is approximated by the product of two tall low-rank matrices to lower the cost.",
        "Stacked cross layers build explicit feature interactions whose order grows with depth, with a residual connection each.",
        "The cross network runs in parallel with a deep network, or before it, on the concatenated embeddings.",
        "Replacing the weight vector of a cross layer by a matrix makes it considerably more expressive.",
    ),
    arguments=(
        Argument(
            "n_layers",
            3,
            ("cross layers", "number of cross layers", "cross layer depth", "depth of the cross network", "cross depth"),
            low=1,
            high=16,
        ),
        Argument(
            "rank", 0, ("rank of the cross layers", "low-rank dimension", "rank of the low-rank matrices"), low=0, high=4096
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = CrossNetworkV2(flat.shape[1], n_layers=2, rank=0)\noutput = layer(flat)",
)


class CrossNetworkV2(nn.Module):
    """(B, K) -> (B, K). `rank` 0 means full matrices; otherwise W = U V^T with U and V of shape (K, rank)."""

    def __init__(self, in_dim: int, n_layers: int = 3, rank: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_map(in_dim, rank) for _ in range(n_layers))
        self.out_dim = in_dim

    def forward(self, flat: Tensor) -> Tensor:
        crossed = flat
        for layer in self.layers:
            crossed = torch.addcmul(crossed, flat, layer(crossed))  # (B, K)
        return crossed


def _map(in_dim: int, rank: int) -> nn.Module:
    """x -> W x + b, with W full or U V^T."""
    if rank == 0:
        return Dense(in_dim, in_dim)
    return nn.Sequential(Dense(in_dim, rank, bias=False), Dense(rank, in_dim))
