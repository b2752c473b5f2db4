"""Bi-interaction pooling: all pairwise element-wise products, summed to one vector.

Notation: B rows, F fields, D embedding width.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.card import Card

CARD = Card(
    name="bi_interaction_pooling",
    block="BiInteractionPooling",
    slot="interaction",
    placement="input",
    summary="Pools the element-wise products of all pairs of embeddings into one vector, which a deep network then transforms.",
    equation="f = sum_{i<j} v_i * v_j (element-wise) = 1/2 [(sum_i v_i)^2 - sum_i v_i^2]  (He and Chua, SIGIR 2017, eq. 3 and 4)",
    cues=(
        "bi-interaction",
        "bi-interaction pooling",
        "bi-interaction layer",
        "bilinear interaction pooling",
        "interaction pooling",
        "pooling of pairwise element-wise products",
        "sum of element-wise products of embedding pairs",
        "element-wise product of two embedding vectors summed",
        "hidden layers above the second-order interactions",
        "non-linear layers on top of pairwise interactions",
        "converts a set of embedding vectors to one vector",
    ),
    descriptions=(
        "A pooling operation turns the set of embedding vectors into one vector that encodes the interactions of all pairs.",
        "The element-wise products of every pair of embeddings are summed, and a stack of hidden layers is placed on top.",
        "Instead of summing to a scalar, the second-order interactions are kept as a vector and fed to fully connected layers.",
        "The neural network learns higher-order interactions above the pooled second-order interactions.",
        "The pooled vector can be computed in linear time from the square of the sum and the sum of the squares.",
    ),
    example="layer = BiInteractionPooling(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class BiInteractionPooling(nn.Module):
    """(B, F, D) -> (B, D)."""

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        self.out_dim = embedding_dim

    def forward(self, fields: Tensor) -> Tensor:
        return 0.5 * (fields.sum(1).square() - fields.square().sum(1))  # (B, D)
