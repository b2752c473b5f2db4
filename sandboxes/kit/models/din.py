"""A deep network over the fields and what the user's history says of the row at hand, by target attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding, TargetAttention
from sandboxes.kit.schema import Schema


class DIN(nn.Module):
    """(batch) -> (B, T): Zhou et al., KDD 2018, section 4.3. A history is asked about the row's value of the field it is of."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        attention_units: Sequence[int] = (80, 40),
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sequences = schema.sequences
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.attention = nn.ModuleList(TargetAttention(embedding_dim, attention_units) for _ in schema.sequences)
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim  # what comes of a history is as wide as a field
        self.deep = DNN(width, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        interests = []
        for sequence, attention in zip(self.sequences, self.attention, strict=True):
            target = self.embedding.target(batch, sequence.name)  # (B, D)
            interests.append(attention(target, *self.embedding.history(batch, sequence.name)))  # (B, D)
        flat = torch.cat([self.embedding(batch).flatten(1), *interests], 1)  # (B, K)
        logits: Tensor = self.output(self.deep(flat))  # (B, T)
        return logits
