"""Contrastive loss: two dropped-out views of a row should be closer to each other than to the views of other rows.

Notation: B rows, F fields, D embedding width, P projection width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card

LEAST_NORM = 1e-6  # of a view, before it is divided by its norm

CARD = Card(
    name="contrastive_loss",
    block="ContrastiveLoss",
    slot="auxiliary",
    summary="Adds an InfoNCE loss: two views of a row's embeddings under different dropout attract each other, other rows in the "
    "batch repel.",
    equation="L = -1/2B sum_b [ln softmax_c(z_b z'_c / t)_b + ln softmax_c(z'_b z_c / t)_b], z and z' = W "
    "(dropped-out embeddings)"
    " at unit length, other rows as negatives (van den Oord et al., 2018, eq. 4; Chen et al., ICML 2020, eq. 1, with one"
    " linear projection and dropout as the augmentation, as in Gao et al., EMNLP 2021, eq. 4)",
    cues=(
        "contrastive learning",
        "contrastive loss",
        "contrastive learning loss",
        "contrastive objective",
        "infonce",
        "infonce loss",
        "nt-xent",
        "augmented views",
        "two augmented views of the same sample",
        "self-supervised contrastive",
        "contrastive regularization of embeddings",
        "positive pairs and negative pairs",
        "other samples in the batch as negatives",
        "in-batch negatives for contrastive",
        "pull together the views",
        "maximize the agreement between two views",
        "feature alignment and field uniformity",
        "contrastive self-supervision signals",
    ),
    descriptions=(
        "Two perturbed views of the same sample are pulled together, and views of different samples are pushed apart.",
        "A self-supervised loss compares the augmented representations within the batch by a softmax over similarities with a "
        "temperature.",
        "Contrastive learning is applied to the feature embeddings as an auxiliary task beside the click loss.",
        "Random masking or dropout of embeddings generates the views between which the agreement is maximised.",
        "The representation of sparse features is improved by contrastive signals that need no labels.",
        "The other instances of the mini-batch serve as negatives for each anchor.",
    ),
    arguments=(
        Argument(
            "temperature",
            0.2,
            ("temperature of the contrastive loss", "contrastive temperature", "temperature"),
            low=0.001,
            high=10,
        ),
        Argument(
            "view_dropout",
            0.2,
            ("dropout rate of the views", "augmentation dropout", "augmentation ratio", "mask ratio of the augmentation"),
            low=0,
            high=0.95,
        ),
        Argument("projection_dim", 64, ("projection dimension", "dimension of the projection head"), low=1, high=4096),
        Argument(
            "loss_weight",
            0.1,
            ("weight of the contrastive loss", "contrastive loss weight", "coefficient of the contrastive loss"),
            low=0,
            high=100,
        ),
    ),
    example="layer = ContrastiveLoss(fields.shape[1], fields.shape[2], projection_dim=8)\noutput = layer(fields)",
)


class ContrastiveLoss(nn.Module):
    """fields (B, F, D) -> a scalar, `loss_weight` times the mean loss of the rows; 0 for a single row, which has no negatives.

    In evaluation nothing is dropped, so that the two views of a row are the same.
    """

    def __init__(
        self,
        n_fields: int,
        embedding_dim: int,
        temperature: float = 0.2,
        view_dropout: float = 0.2,
        projection_dim: int = 64,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.temperature, self.loss_weight = temperature, loss_weight
        self.augment = nn.Dropout(view_dropout)
        self.project = nn.Linear(n_fields * embedding_dim, projection_dim, bias=False)

    def forward(self, fields: Tensor) -> Tensor:
        similarity = self._view(fields) @ self._view(fields).T / self.temperature  # (B, B)
        same = torch.arange(len(fields), device=fields.device)  # (B,)
        both_ways = functional.cross_entropy(similarity, same) + functional.cross_entropy(similarity.T, same)
        return self.loss_weight * both_ways / 2

    def _view(self, fields: Tensor) -> Tensor:
        """A view (B, P) of unit length."""
        return functional.normalize(self.project(self.augment(fields).flatten(1)), dim=1, eps=LEAST_NORM)
