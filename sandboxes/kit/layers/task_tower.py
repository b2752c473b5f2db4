"""What the multi-task towers are made of: a task's own layers, and gated mixtures of experts.

Notation: B rows, K input width, E experts, H width of an expert's output.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument
from sandboxes.kit.layers.dnn import DNN

# What several cards with experts have in common.
EXPERT_UNITS = Argument(
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
)
TOWER_UNITS = Argument(
    "tower_units",
    (64,),
    ("tower layers", "tower hidden units", "hidden units of the tower", "tower layer sizes", "task-specific layers"),
    low=1,
    high=4096,
)
N_TASK_EXPERTS = Argument(
    "n_task_experts",
    2,
    ("task-specific experts", "number of task-specific experts", "experts of each task", "specific experts per task"),
    low=1,
    high=64,
)
N_SHARED_EXPERTS = Argument(
    "n_shared_experts", 2, ("shared experts", "number of shared experts", "task-shared experts"), low=1, high=64
)


def task_tower(in_dim: int, tower_units: Sequence[int], dropout: float) -> nn.Sequential:
    """One task's own layers: (B, K) -> (B, 1), a logit."""
    deep = DNN(in_dim, tower_units, dropout)
    return nn.Sequential(deep, nn.Linear(deep.out_dim, 1))


def gate(in_dim: int, n_experts: int) -> nn.Sequential:
    """Shares of the experts: (B, K) -> (B, E), softmax(W x)."""
    return nn.Sequential(nn.Linear(in_dim, n_experts, bias=False), nn.Softmax(1))


def mixture(shares: Tensor, outputs: Sequence[Tensor]) -> Tensor:
    """The experts' outputs, each (B, H), weighed by `shares` (B, E): (B, H)."""
    return torch.einsum("be,ebh->bh", shares, torch.stack(list(outputs)))
