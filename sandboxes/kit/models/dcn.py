"""A cross network with weight vectors and a deep network side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, CrossNetworkV1, FeatureEmbedding
from sandboxes.kit.schema import Schema


class DCN(nn.Module):
    """(batch) -> (B, T): Wang et al., ADKDD 2017, sections 2.2 to 2.4."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_cross_layers: int = 3,
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.cross = CrossNetworkV1(width, n_cross_layers)
        self.deep = DNN(width, hidden_units, dropout)
        self.output = nn.Linear(self.cross.out_dim + self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        flat = self.embedding.with_histories(batch).flatten(1)  # (B, F * D)
        both = torch.cat([self.cross(flat), self.deep(flat)], 1)  # (B, K)
        logits: Tensor = self.output(both)  # (B, T)
        return logits
