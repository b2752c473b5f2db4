"""Masked reconstruction: some fields are hidden, and their embeddings are told from the other fields of the row.

Notation: B rows, F fields, D embedding width, M masked fields of a row, H hidden width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.table import INITIAL_STD

CARD = Card(
    name="masked_reconstruction",
    block="MaskedReconstruction",
    slot="auxiliary",
    summary="Adds a loss for reconstructing the embeddings of randomly masked fields from the fields that remain.",
    equation="L = 1/(B M) sum_b sum_{i masked} ||g_i(e with its masked fields replaced by m) - sg(e_i / "
    "||e_i||)||^2, g of one hidden"
    " layer, sg the stopped gradient (denoising of Vincent et al., ICML 2008, section 2.3, on masked inputs with "
    "normalised targets"
    " as He et al., CVPR 2022, section 3)",
    cues=(
        "masked feature prediction",
        "masked feature modeling",
        "masked feature reconstruction",
        "masked field prediction",
        "reconstruct masked features",
        "reconstruct the masked fields",
        "reconstruct the original features",
        "reconstruction loss",
        "reconstruction objective",
        "reconstruction supervision",
        "denoising autoencoder",
        "denoising reconstruction",
        "denoising objective",
        "denoising network",
        "recover the masked features",
        "corrupted features",
        "feature corruption",
        "predict masked features from the remaining features",
    ),
    descriptions=(
        "A random share of the feature fields is masked, and the model reconstructs them from the fields that are left.",
        "The reconstruction of corrupted inputs is a self-supervised task that makes use of unlabelled feature co-occurrence.",
        "An auxiliary denoising loss asks the network to restore the embeddings of hidden features.",
        "Masked fields are replaced by a special mask vector, and their original embeddings are the targets.",
        "Reconstructing all feature fields supervises the embeddings densely and so relieves the sparsity of click labels.",
        "As in masked language models, features of a sample are hidden and predicted from their context.",
    ),
    arguments=(
        Argument(
            "mask_rate",
            0.3,
            (
                "mask ratio",
                "masking ratio",
                "mask rate",
                "masking probability",
                "corruption ratio",
                "corrupt ratio",
                "noise ratio",
            ),
            low=0.01,
            high=0.95,
        ),
        Argument(
            "reconstruction_dim",
            64,
            ("hidden units of the decoder", "decoder hidden size", "hidden size of the reconstruction network"),
            low=1,
            high=4096,
        ),
        Argument(
            "loss_weight",
            0.1,
            ("weight of the reconstruction loss", "reconstruction loss weight", "coefficient of the reconstruction loss"),
            low=0,
            high=100,
        ),
    ),
    example="layer = MaskedReconstruction(fields.shape[1], fields.shape[2], mask_rate=0.5)\noutput = layer(fields)",
)


class MaskedReconstruction(nn.Module):
    """fields (B, F, D) -> a scalar: `loss_weight` times the mean squared distance, summed over D, of the masked fields.

    Every row hides the same number of fields, at least one. Two things keep the embeddings from making the task easy by
    vanishing or growing alike: no gradient flows to them as targets, and targets have unit length. A network that has learned
    nothing and answers zero has a distance of 1.
    """

    def __init__(
        self,
        n_fields: int,
        embedding_dim: int,
        mask_rate: float = 0.3,
        reconstruction_dim: int = 64,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.n_masked = max(1, min(n_fields - 1, round(mask_rate * n_fields)))  # M
        self.loss_weight = loss_weight
        self.mask_vector = nn.Parameter(torch.randn(embedding_dim) * INITIAL_STD)  # (D,)
        width = n_fields * embedding_dim
        self.encode, self.decode = nn.Linear(width, reconstruction_dim), nn.Linear(reconstruction_dim, width)

    def forward(self, fields: Tensor) -> Tensor:
        chosen = torch.rand(fields.shape[:2], device=fields.device).topk(self.n_masked, 1).indices  # (B, M)
        masked = torch.zeros_like(fields[..., 0], dtype=torch.bool).scatter(1, chosen, True)  # (B, F)
        visible = torch.where(masked.unsqueeze(2), self.mask_vector, fields)  # (B, F, D)
        told: Tensor = self.decode(torch.relu(self.encode(visible.flatten(1)))).view_as(fields)  # (B, F, D)
        target = functional.normalize(fields.detach(), dim=2)  # (B, F, D)
        distance = (told - target).square().sum(2)[masked].mean()
        return self.loss_weight * distance
