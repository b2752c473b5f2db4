"""Shared bottom: one network below, a small tower for each task above. Notation: B rows, K input width, T tasks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.task_tower import task_tower

CARD = Card(
    name="shared_bottom",
    block="SharedBottom",
    slot="tower",
    needs=("several_tasks",),
    summary="Feeds all tasks from the same hidden layers and gives each of them a tower of its own.",
    equation="y_k = h_k(f(x)), f shared by all tasks (Caruana, Machine Learning 28, 1997, section 1.2; Ma et "
    "al., KDD 2018, eq. 1)",
    cues=(
        "shared bottom",
        "shared-bottom structure",
        "shared bottom network",
        "bottom layers shared by all tasks",
        "hard parameter sharing",
        "hidden layers shared across tasks",
        "shared hidden layers with task-specific output layers",
        "shared layers followed by task-specific towers",
        "shared representation for all tasks",
        "task-specific towers on top of the shared",
        "tasks share the bottom",
        "parameters of the bottom layers are shared among tasks",
        "multi-task network with a shared backbone",
        "one bottom network for all tasks",
    ),
    descriptions=(
        "All tasks share the bottom layers, and each task has its own tower network on top of the shared representation.",
        "Hard parameter sharing lets several objectives be trained on one common hidden representation.",
        "A common feed-forward network is followed by separate output layers for click and conversion.",
        "The lower part of the model is common to the tasks, while the upper part is specific to each.",
        "Sharing hidden layers between tasks acts as regularisation and lowers the risk of overfitting each of them.",
    ),
    arguments=(
        Argument(
            "hidden_units",
            (256, 128),
            ("shared hidden layers", "shared layers", "bottom layers", "hidden units of the shared bottom", "bottom layer sizes"),
            low=1,
            high=8192,
        ),
        Argument(
            "tower_units",
            (64,),
            ("tower layers", "tower hidden units", "hidden units of the tower", "task-specific layers", "tower layer sizes"),
            low=1,
            high=4096,
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = SharedBottom(flat.shape[1], n_tasks=2, hidden_units=(16,), tower_units=(8,))\n"
    "output = layer(flat)",
)


class SharedBottom(nn.Module):
    """(B, K) -> (B, T) logits."""

    def __init__(
        self,
        in_dim: int,
        n_tasks: int,
        hidden_units: Sequence[int] = (256, 128),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.bottom = DNN(in_dim, hidden_units, dropout)
        self.towers = nn.ModuleList(task_tower(self.bottom.out_dim, tower_units, dropout) for _ in range(n_tasks))

    def forward(self, flat: Tensor) -> Tensor:
        shared = self.bottom(flat)  # (B, H)
        return torch.cat([tower(shared) for tower in self.towers], 1)  # (B, T)
