"""Cross network with weight vectors: bounded-degree crosses of the flat embeddings. Notation: B rows, K = F * D input width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="cross_network_v1",
    block="CrossNetworkV1",
    slot="interaction",
    placement="parallel",
    flat_input=True,
    summary="Stacks cross layers on the flat embeddings; each multiplies the input by a learned scalar "
    "projection of the last layer.",
    equation="x_{l+1} = x_0 (x_l^T w_l) + b_l + x_l, w_l and b_l vectors (Wang et al., ADKDD 2017, eq. 3)",
    cues=(
        "cross network",
        "cross layer",
        "cross layers",
        "crossing layers",
        "explicit feature crossing",
        "apply feature crossing at each layer",
        "bounded-degree feature interactions",
        "weight vector of the cross layer",
        "cross layer with weight and bias parameters",
        "cross terms of degree",
        "highest polynomial degree increases at each layer",
        "highest polynomial degree",
        "bit-wise interactions explicitly",
        "rank-one cross",
        "feature crossing function",
        "vector-wise weight cross network",
    ),
    descriptions=(
        (
            "Each cross layer adds back its input and fits the residual, a product of the base input and a "
            "projection of the last output."
        ),
        "The degree of the crosses grows by one with every layer, so depth bounds the polynomial degree.",
        "A cross network of a few layers applies explicit feature crossing automatically and is joined with a deep network.",
        (
            "The outer product of the input with the current state is compressed by a weight vector, so a layer "
            "needs only 2d parameters."
        ),
        (
            "The cross network and the deep network run in parallel on the stacked embedding vector, and their "
            "outputs are concatenated."
        ),
        "The parameters of the cross network grow linearly with the input dimension.",
    ),
    arguments=(
        Argument(
            "n_layers",
            3,
            ("cross layers", "number of cross layers", "cross layer depth", "depth of the cross network", "cross depth"),
            low=1,
            high=16,
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = CrossNetworkV1(flat.shape[1], n_layers=3)\noutput = layer(flat)",
)


class CrossNetworkV1(nn.Module):
    """(B, K) -> (B, K)."""

    def __init__(self, in_dim: int, n_layers: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_layers, in_dim) * in_dim**-0.5)  # (n_layers, K)
        self.bias = nn.Parameter(torch.zeros(n_layers, in_dim))  # (n_layers, K)
        self.out_dim = in_dim

    def forward(self, flat: Tensor) -> Tensor:
        crossed = flat
        for weight, bias in zip(self.weight, self.bias, strict=True):
            projected = (crossed @ weight).unsqueeze(1)  # (B, 1)
            crossed = flat * projected + bias + crossed  # (B, K)
        return crossed
