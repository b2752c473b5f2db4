"""What a query's histories of items say of the next one: each is read in its order, and what was read is added up.

Notation: B rows, L history length, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.layers.transformer_history import TransformerHistory


class NextItemReader(nn.Module):
    """(rest (B, D), histories, each (B, L, D) with its mask (B, L)) -> (B, D): `rest`, which is known beside them, plus what
    self-attention over each history answers to a learned question in the place of a target (Kang and McAuley, ICDM 2018)."""

    def __init__(self, n_histories: int, embedding_dim: int, n_layers: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.readers = nn.ModuleList(
            TransformerHistory(embedding_dim, n_layers, n_heads, dropout=dropout) for _ in range(n_histories)
        )
        self.asked = nn.ParameterList(torch.randn(embedding_dim) * INITIAL_STD for _ in range(n_histories))
        self.dropout = nn.Dropout(dropout)

    def forward(self, rest: Tensor, histories: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        read = [rest]
        for (history, mask), reader, asks in zip(histories, self.readers, self.asked, strict=True):
            read.append(reader(asks.expand(len(rest), -1), self.dropout(history), mask))
        return torch.stack(read).sum(0)
