"""What the multi-task towers are made of: a task's own layers, and gated mixtures of experts.

Notation: B rows, K input width, E experts, H width of an expert's output.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.dnn import DNN


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
