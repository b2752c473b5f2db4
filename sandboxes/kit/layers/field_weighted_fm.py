"""Field-weighted factorization machine: inner products weighed per pair of fields.

Notation: B rows, F fields, D embedding width, P = F (F - 1) / 2 pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="field_weighted_fm",
    block="FieldWeightedFM",
    slot="interaction",
    placement="logit",
    summary="Sums pairwise inner products of embeddings, each scaled by a learned strength of its pair of fields.",
    equation="y = sum_{i<j} r_{ij} <v_i, v_j>, with one scalar r for each pair of fields (Pan et al., WWW 2018, section 3)",
    cues=(
        "field-weighted factorization machine",
        "field pair interaction strength",
        "weight of each field pair",
        "weights of field pairs",
        "interaction strength of field pairs",
        "interaction strengths of different field pairs",
        "field interaction strength",
        "field-pair weight",
        "field-wise interaction weights",
        "explicitly model the interaction strength of different field pairs",
        "field pair importance",
        "learnable scalar for each field pair",
        "field interaction matrix",
        "field-aware weight",
    ),
    descriptions=(
        "Pairs of fields differ in how strongly they interact, so each pair has a scalar weight on its inner product.",
        "A learned symmetric matrix over fields scales the dot products of the embeddings of features from these fields.",
        "It keeps one embedding for each feature and models field information through a weight for each pair of fields.",
        "Only a number per field pair is added, so it needs far fewer parameters than one latent vector for each opposing field.",
        "The interaction of two features is the dot product of their vectors multiplied by the importance of the two fields.",
    ),
    example="layer = FieldWeightedFM(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class FieldWeightedFM(nn.Module):
    """(B, F, D) -> (B, 1). Strengths start at 1, where the layer equals a factorization machine."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        self.strength = nn.Parameter(torch.ones(len(first)))  # (P,)
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        products = torch.bmm(fields, fields.transpose(1, 2))[:, self.first, self.second]  # (B, P)
        return (products @ self.strength).unsqueeze(1)  # (B, 1)
