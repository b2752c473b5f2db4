"""A deep network over the fields and what a recurrent memory of past questions and their outcomes says of the one at hand."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding, OutcomeGRU
from sandboxes.kit.schema import Schema


class DKT(nn.Module):
    """(batch) -> (B, T): Piech et al., NeurIPS 2015, section 3, with the row's fields beside the memory's answer.

    Each log of aligned histories has a memory of its own. Where no outcomes were recorded, it knows only what was asked.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_size: int = 64,
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.logs = schema.event_logs
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.memories = nn.ModuleList(OutcomeGRU(embedding_dim, len(log.outcomes), hidden_size) for log in self.logs)
        width = schema.n_fields * embedding_dim + len(self.logs) * hidden_size
        self.deep = DNN(width, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        answers = [memory(*self.embedding.events(batch, log)) for log, memory in zip(self.logs, self.memories, strict=True)]
        flat = torch.cat([self.embedding(batch).flatten(1), *answers], 1)  # (B, K)
        logits: Tensor = self.output(self.deep(flat))  # (B, T)
        return logits
