"""Multi-path averaging: at prediction, the mean of several passes, each without some of the fields.

Notation: B rows, F fields, D embedding width, T tasks, P paths.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

MASK_SEED = 20231  # of the paths' masks, which are the same in every model

CARD = Card(
    name="multi_path_averaging",
    block="MultiPathAveraging",
    slot="inference",
    summary="Predicts each row several times with different fields switched off and averages the probabilities; training is "
    "unchanged.",
    equation="p = 1/P sum_p sigmoid(f(m_p * e)), m_1 = 1, m_p with k random fields at 0 and the rest at 1"
    " (Monte-Carlo averaging of Gal and Ghahramani, ICML 2016, eq. 6, over masks that are drawn once and kept)",
    cues=(
        "multi-path inference",
        "multiple feature paths",
        "feature paths",
        "feature path exploration",
        "stochastic feature-path explorations",
        "test-time compute",
        "test-time compute scaling",
        "test-time inference scaling",
        "test-time augmentation",
        "test-time ensembling",
        "monte carlo dropout",
        "multiple stochastic forward passes",
        "several forward passes at inference",
        "average the predictions of several passes",
        "predictions aggregated over paths",
        "aggregated at inference time without retraining",
        "training-free inference",
    ),
    descriptions=(
        "At inference the same instance is scored along several feature paths, and their predictions are averaged.",
        "Several forward passes with different random subsets of features give an ensemble from one trained model.",
        "More computation is spent at test time: stochastic passes explore different feature combinations.",
        "No retraining is needed, since only the prediction step is repeated under different masks of the features.",
        "The outputs of the perturbed passes are aggregated, which lowers the variance of uncertain predictions.",
    ),
    arguments=(
        Argument(
            "n_paths",
            4,
            ("paths", "number of paths", "forward passes", "number of forward passes", "feature paths"),
            low=1,
            high=256,
        ),
        Argument(
            "drop_rate",
            0.2,
            ("drop rate of the paths", "path drop rate", "feature drop rate at inference", "share of features dropped per path"),
            low=0,
            high=0.95,
        ),
    ),
    example="layer = MultiPathAveraging(fields.shape[1], n_paths=3)\noutput = layer(lambda f: f.mean(2)[:, :2], fields)",
)


class MultiPathAveraging(nn.Module):
    """(function from fields (B, F, D) to logits (B, T), fields (B, F, D)) -> probabilities (B, T).

    The first path keeps all fields. The others lose `drop_rate` of them, rounded, at least one and never all, the same ones in
    every row. What they keep is not scaled up: a network that normalises its input, or was trained without dropout, knows no such
    scale.
    """

    masks: Tensor

    def __init__(self, n_fields: int, n_paths: int = 4, drop_rate: float = 0.2) -> None:
        super().__init__()
        self.register_buffer("masks", _masks(n_fields, n_paths, drop_rate), persistent=False)  # (P, F)

    def forward(self, logits_of: Callable[[Tensor], Tensor], fields: Tensor) -> Tensor:
        paths = [torch.sigmoid(logits_of(fields * mask.unsqueeze(1))) for mask in self.masks]  # each (B, T)
        return torch.stack(paths).mean(0)


def _masks(n_fields: int, n_paths: int, drop_rate: float) -> Tensor:
    """Which fields a path keeps, (P, F): 1 or 0."""
    if not 0 <= drop_rate < 1:
        raise ValueError(f"the share of fields to switch off must be at least 0 and below 1, not {drop_rate}")
    n_off = min(max(1, round(drop_rate * n_fields)), n_fields - 1) if drop_rate else 0
    generator = torch.Generator().manual_seed(MASK_SEED)
    masks = torch.ones(n_paths, n_fields)
    for mask in masks[1:]:
        mask[torch.randperm(n_fields, generator=generator)[:n_off]] = 0
    return masks
