"""A deep network over the fields and what attention of the question at hand, fading with distance, finds in past ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, DecayingAttention, FeatureEmbedding
from sandboxes.kit.schema import Schema


class AKT(nn.Module):
    """(batch) -> (B, T): the knowledge retriever of Ghosh et al., KDD 2020, section 3.2, without the encoders before it.

    Each log of aligned histories is asked by itself. Where no outcomes were recorded, it knows only what was asked.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_heads: int = 2,
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.logs = schema.event_logs
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.retrievers = nn.ModuleList(DecayingAttention(embedding_dim, len(log.outcomes), n_heads) for log in self.logs)
        self.deep = DNN((schema.n_fields + len(self.logs)) * embedding_dim, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        found = [retrieve(*self.embedding.events(batch, log)) for log, retrieve in zip(self.logs, self.retrievers, strict=True)]
        flat = torch.cat([self.embedding(batch).flatten(1), *found], 1)  # (B, K)
        logits: Tensor = self.output(self.deep(flat))  # (B, T)
        return logits
