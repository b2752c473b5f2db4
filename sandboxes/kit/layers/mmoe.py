"""Multi-gate mixture of experts: each task mixes the same experts by a gate of its own.

Notation: B rows, K input width, E experts, H width of an expert's output, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.task_tower import gate, mixture, task_tower

CARD = Card(
    name="mmoe",
    block="MMoE",
    slot="tower",
    needs=("several_tasks",),
    summary="Shares several expert networks between the tasks; each task has a gate that mixes them for the row, "
    "and its own tower.",
    equation="y_k = h_k(sum_i g^k_i(x) f_i(x)), g^k(x) = softmax(W_gk x) (Ma et al., KDD 2018, eq. 6 and 7)",
    cues=(
        "multi-gate mixture of experts",
        "mixture of experts",
        "gating network for each task",
        "task-specific gates",
        "task-specific gating network",
        "separate gating network for each task",
        "experts shared across all tasks",
        "expert networks are shared",
        "softmax gate over the experts",
        "gates assemble the experts",
        "weighted sum of experts",
        "ensemble of experts for each task",
        "moe layer",
        "experts as bottom networks",
        "gating networks optimized for each task",
    ),
    descriptions=(
        "Several expert networks are shared by all tasks, and a gating network for each task decides how to mix them.",
        "Each task has its own softmax gate over the experts, so that tasks can use the shared knowledge differently.",
        "The gates are linear transformations of the input followed by a softmax, and give the weights of the experts.",
        "Task differences are modelled explicitly by gates on top of a group of bottom networks called experts.",
        "The gated combination of the experts is fed to a tower network that is specific to the task.",
        "When tasks are less related, the gates learn to use different experts, which lessens conflicts between the objectives.",
    ),
    arguments=(
        Argument(
            "n_experts", 8, ("experts", "number of experts", "expert networks", "number of expert networks"), low=1, high=256
        ),
        Argument(
            "hidden_units",
            (256, 128),
            (
                "hidden units of each expert",
                "hidden units of the experts",
                "expert layers",
                "expert hidden units",
                "expert layer sizes",
            ),
            low=1,
            high=8192,
        ),
        Argument(
            "tower_units",
            (64,),
            ("tower layers", "tower hidden units", "hidden units of the tower", "tower layer sizes", "task-specific layers"),
            low=1,
            high=4096,
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = MMoE(flat.shape[1], n_tasks=2, n_experts=3, hidden_units=(16,), "
    "tower_units=(8,))\n"
    "output = layer(flat)",
)


class MMoE(nn.Module):
    """(B, K) -> (B, T) logits. `hidden_units` are the layers of one expert, `tower_units` those of one task."""

    def __init__(
        self,
        in_dim: int,
        n_tasks: int,
        n_experts: int = 8,
        hidden_units: Sequence[int] = (256, 128),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = hidden_units[-1] if hidden_units else in_dim  # H
        self.experts = nn.ModuleList(DNN(in_dim, hidden_units, dropout) for _ in range(n_experts))
        self.gates = nn.ModuleList(gate(in_dim, n_experts) for _ in range(n_tasks))
        self.towers = nn.ModuleList(task_tower(width, tower_units, dropout) for _ in range(n_tasks))

    def forward(self, flat: Tensor) -> Tensor:
        outputs = [expert(flat) for expert in self.experts]  # each (B, H)
        mixed = [mixture(of_task(flat), outputs) for of_task in self.gates]  # each (B, H)
        return torch.cat([tower(x) for tower, x in zip(self.towers, mixed, strict=True)], 1)  # (B, T)
