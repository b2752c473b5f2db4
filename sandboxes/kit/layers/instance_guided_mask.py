"""Instance-guided mask: element-wise weights on normalised embeddings, computed from the row itself.

Notation: B rows, F fields, D embedding width, A width of the aggregation layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="instance_guided_mask",
    block="InstanceGuidedMask",
    slot="feature",
    summary="Multiplies the normalised embeddings element by element with a mask that a two-layer network "
    "computes from the whole row.",
    equation="mask = W_2 relu(W_1 e + b_1) + b_2 on the flat embeddings e; v = mask * LayerNorm(e_i), element-wise, each field"
    " normalised by itself (Wang, She and Zhang, DLP-KDD 2021, sections 3.2 and 3.3)",
    cues=(
        "instance-guided mask",
        "instance guided mask",
        "mask block",
        "mask generator",
        "element-wise mask",
        "mask on the feature embedding",
        "aggregation layer and projection layer",
        "global contextual information of the instance",
        "element-wise gating of embeddings guided by the input instance",
        "bit-wise gating of embeddings",
        "multiplicative operation into the dnn",
        "element-wise product between the mask and the embedding",
        "bit-level attention weights",
        "dynamically highlight informative elements",
    ),
    descriptions=(
        (
            "An aggregation layer collects global context from all embeddings, and a projection layer gives a mask "
            "over every element."
        ),
        (
            "The mask is multiplied element-wise with the layer-normalised embedding to highlight informative "
            "elements of an instance."
        ),
        "Multiplication by an input-dependent mask brings interactions into a network whose layers are otherwise additive.",
        "Each instance produces its own element-wise weights that strengthen or weaken bits of the feature embedding.",
        "The aggregation layer is wider than the projection layer by a reduction ratio.",
    ),
    arguments=(Argument("reduction_ratio", 2.0, ("reduction ratio", "aggregation ratio"), low=0.1, high=16),),
    example="layer = InstanceGuidedMask(fields.shape[1], fields.shape[2], reduction_ratio=2.0)\noutput = layer(fields)",
)


class InstanceGuidedMask(nn.Module):
    """(B, F, D) -> (B, F, D). The aggregation layer is `reduction_ratio` times as wide as the flat embeddings."""

    def __init__(self, n_fields: int, embedding_dim: int, reduction_ratio: float = 2.0) -> None:
        super().__init__()
        width = n_fields * embedding_dim
        aggregated = max(1, round(width * reduction_ratio))  # A
        self.aggregate, self.project = nn.Linear(width, aggregated), nn.Linear(aggregated, width)
        self.norm = nn.LayerNorm(embedding_dim)

    def forward(self, fields: Tensor) -> Tensor:
        mask = self.project(torch.relu(self.aggregate(fields.flatten(1))))  # (B, F * D)
        masked: Tensor = mask.view_as(fields) * self.norm(fields)  # (B, F, D)
        return masked
