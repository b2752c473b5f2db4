"""Squeeze-and-excitation over fields: a learned weight for each field, from all fields of the row.

Notation: B rows, F fields, D embedding width, S squeezed width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="squeeze_excitation",
    block="SqueezeExcitation",
    slot="feature",
    summary="Re-weighs each field's embedding by its importance for the row, found by a small bottleneck network "
    "on field summaries.",
    equation="z_i = mean_d e_id; a = sigmoid(W_2 relu(W_1 z)); v_i = a_i e_i, with W_1 reducing F to F / r"
    " (Huang, Zhang and Zhang, RecSys 2019, section 3.3; the gate is a sigmoid as in Hu et al., CVPR 2018, so no field can die)",
    cues=(
        "squeeze-and-excitation",
        "squeeze and excitation",
        "squeeze-excitation network",
        "senet",
        "squeeze step",
        "excitation step",
        "squeeze operation",
        "feature importance dynamically",
        "dynamically learn the importance of features",
        "field importance weights",
        "importance of each field",
        "re-weight the field embeddings",
        "reweight the original embeddings",
        "re-weigh step",
        "reduction ratio",
        "field-wise gating",
        "summary statistics of each field",
        "boost informative features and suppress uninformative features",
    ),
    descriptions=(
        (
            "A squeeze step summarises each field embedding by its mean, and two fully connected layers turn the "
            "summaries into weights."
        ),
        "The importance of each field is learned dynamically per sample and multiplies the field's embedding.",
        "The bottleneck with a reduction ratio captures dependencies between fields when computing their importance.",
        "The network strengthens informative features and suppresses those that carry little for the present instance.",
        "Original embeddings are rescaled field by field with the output of an excitation network to give attended embeddings.",
    ),
    arguments=(Argument("reduction_ratio", 3, ("reduction ratio", "squeeze ratio", "reduction rate"), low=1, high=64),),
    example="layer = SqueezeExcitation(fields.shape[1], fields.shape[2], reduction_ratio=3)\noutput = layer(fields)",
)


class SqueezeExcitation(nn.Module):
    """(B, F, D) -> (B, F, D)."""

    def __init__(self, n_fields: int, embedding_dim: int, reduction_ratio: int = 3) -> None:
        super().__init__()
        squeezed = max(2, n_fields // reduction_ratio)  # S; a single ReLU unit could be silent on every row
        self.squeeze = nn.Linear(n_fields, squeezed, bias=False)
        self.excite = nn.Linear(squeezed, n_fields, bias=False)

    def forward(self, fields: Tensor) -> Tensor:
        summary = fields.mean(2)  # (B, F)
        importance = torch.sigmoid(self.excite(torch.relu(self.squeeze(summary))))  # (B, F)
        return fields * importance.unsqueeze(2)  # (B, F, D)
