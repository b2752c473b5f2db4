"""Feature selection gate: weighs every element of the embeddings by what a chosen context says, for one stream of a model.

Notation: B rows, F fields, D embedding width, E = F * D, C width of the context.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.dnn import DNN


class FeatureSelectionGate(nn.Module):
    """(flat embeddings (B, E), context (B, C) or None) -> (B, E): 2 sigmoid(g) * e, g a deep network of the context.

    With `context_dim` 0 the context is a learned vector of width 16, the same for all rows, and None is passed
    (Mao et al., AAAI 2023, stream-specific feature selection). Before training the weights are near 1.
    """

    def __init__(self, in_dim: int, context_dim: int = 0, hidden_units: Sequence[int] = (64,)) -> None:
        super().__init__()
        self.context = None if context_dim else nn.Parameter(torch.randn(1, 16))
        self.deep = DNN(context_dim or 16, hidden_units)
        self.weigh = nn.Linear(self.deep.out_dim, in_dim)

    def forward(self, flat: Tensor, context: Tensor | None = None) -> Tensor:
        given = self.context if self.context is not None else context
        assert given is not None  # a gate on a context is given one
        weights = 2 * torch.sigmoid(self.weigh(self.deep(given)))  # (B, E) or (1, E)
        return flat * weights
