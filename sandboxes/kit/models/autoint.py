"""Multi-head self-attention over the fields, with a deep network beside it unless that is left out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding, SelfAttentionInteraction
from sandboxes.kit.schema import Schema


class AutoInt(nn.Module):
    """(batch) -> (B, T): Song et al., CIKM 2019, sections 4.3 to 4.5.

    With `hidden_units` it is trained jointly with a deep network (the paper's AutoInt+); with () it is attention alone.
    A single field has none to attend to, and is left to the deep network.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_attention_layers: int = 3,
        n_heads: int = 2,
        head_dim: int = 16,
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        n_fields = schema.n_fields + len(schema.sequences)
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.attention: SelfAttentionInteraction | None = None
        if n_fields > 1:
            self.attention = SelfAttentionInteraction(n_fields, embedding_dim, n_attention_layers, n_heads, head_dim)
        self.deep: DNN | None = None
        if hidden_units or self.attention is None:
            self.deep = DNN(n_fields * embedding_dim, hidden_units, dropout)
        width = sum(branch.out_dim for branch in (self.attention, self.deep) if branch is not None)
        self.output = nn.Linear(width, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding.with_histories(batch)  # (B, F, D)
        branches: list[Tensor] = []
        if self.attention is not None:
            branches.append(self.attention(fields))  # (B, F * H * A)
        if self.deep is not None:
            branches.append(self.deep(fields.flatten(1)))
        logits: Tensor = self.output(torch.cat(branches, 1))  # (B, T)
        return logits
