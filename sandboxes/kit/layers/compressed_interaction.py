"""Compressed interaction network: vector-wise interactions of growing order.

Notation: B rows, F fields, D embedding width, M maps of the last layer, H maps of this layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="compressed_interaction",
    block="CompressedInteraction",
    slot="interaction",
    placement="parallel",
    summary="Crosses the embeddings with the last layer's maps vector by vector, compresses the products to new "
    "maps and pools each of them.",
    equation="x^k_h = sum_i sum_j W^{k,h}_ij (x^{k-1}_i * x^0_j), element-wise; p^k_h = sum_d x^k_hd; all p^k concatenated"
    " (Lian et al., KDD 2018, eq. 6 to 8; identity activation, every map goes to the output and to the next layer)",
    cues=(
        "compressed interaction network",
        "vector-wise feature interactions",
        "vector-wise level",
        "interactions at the vector-wise level",
        "explicit high-order feature interactions in a vector-wise fashion",
        "feature maps of the compressed interaction",
        "outer product along each embedding dimension",
        "outer product followed by convolution",
        "intermediate tensor compressed to feature maps",
        "compress the intermediate tensor",
        "sum pooling on each feature map",
        "hadamard product of the previous layer and the base embedding matrix",
        "order of interactions increases with layer depth",
    ),
    descriptions=(
        "The embeddings of a layer are combined with the original field embeddings by Hadamard products at the vector level.",
        (
            "All pairwise products of maps and fields form a tensor, which learned filters compress to a fixed "
            "number of feature maps."
        ),
        (
            "Sum pooling over the embedding dimension turns each feature map into one number, and all layers "
            "contribute to the output."
        ),
        "The degree of the explicit vector-wise interactions rises by one with each layer.",
        "Interactions are learned explicitly and at the level of vectors, complementing the implicit bit-wise deep network.",
    ),
    arguments=(
        Argument(
            "feature_maps",
            (64, 64),
            (
                "feature maps per layer",
                "cin layers",
                "cin layer sizes",
                "number of feature maps",
                "layer sizes of the interaction network",
            ),
            low=1,
            high=1024,
        ),
    ),
    example="layer = CompressedInteraction(fields.shape[1], fields.shape[2], feature_maps=(6, 4))\noutput = layer(fields)",
)


class CompressedInteraction(nn.Module):
    """(B, F, D) -> (B, sum of `feature_maps`)."""

    def __init__(self, n_fields: int, embedding_dim: int, feature_maps: Sequence[int] = (64, 64)) -> None:
        super().__init__()
        sizes = pairwise((n_fields, *feature_maps))
        self.filters = nn.ParameterList(_filter(maps, last, n_fields) for last, maps in sizes)  # each (H, M * F)
        self.out_dim = sum(feature_maps)

    def forward(self, fields: Tensor) -> Tensor:
        maps, pooled = fields, []
        for weight in self.filters:
            products = (maps.unsqueeze(2) * fields.unsqueeze(1)).flatten(1, 2)  # (B, M * F, D)
            maps = torch.matmul(weight, products)  # (B, H, D)
            pooled.append(maps.sum(2))  # (B, H)
        return torch.cat(pooled, 1)


def _filter(maps: int, last: int, n_fields: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(maps, last * n_fields) * (last * n_fields) ** -0.5)
