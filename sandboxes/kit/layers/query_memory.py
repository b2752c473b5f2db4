"""What is known of a query as a memory of tokens that have seen each other: its fields, and its histories event by event.

Notation: B rows, G fields and pooled histories, L history length, M tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.transformer_history import EncoderLayer

OLDEST = 200  # entries older than so many share a position


class QueryMemory(nn.Module):
    """(fields (B, G, D) with G > 0, histories, each (B, L, D) with its mask (B, L)) -> memory (B, M, D) and which of it is real
    (B, M). Positions are counted back from the latest entry, so that it does not matter how far a history is padded."""

    def __init__(self, width: int, n_histories: int, n_layers: int = 2, n_heads: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        self.positions = nn.ParameterList(torch.randn(OLDEST, width) * width**-0.5 for _ in range(n_histories))
        self.layers = nn.ModuleList(EncoderLayer(width, n_heads, dropout) for _ in range(n_layers))

    def forward(self, fields: Tensor, histories: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        tokens, real = [fields], [fields.new_ones(fields.shape[:2], dtype=torch.bool)]
        for (vectors, mask), positions in zip(histories, self.positions, strict=True):
            age = torch.arange(vectors.shape[1] - 1, -1, -1, device=vectors.device).clamp(max=len(positions) - 1)  # (L,)
            tokens.append(vectors + positions[age])
            real.append(mask)
        memory, which = torch.cat(tokens, 1), torch.cat(real, 1)
        for layer in self.layers:
            memory = layer(memory, which)
        return memory, which
