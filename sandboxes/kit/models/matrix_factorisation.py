"""A vector a user and a vector an item, learned so that items taken score above others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding, drawn_instead, pairwise_loss, query_fields
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema


class MatrixFactorisation(nn.Module):
    """(batch) -> (B, I): Rendle et al., UAI 2009, section 4.3.1. Where the schema names no user, the mean of the query's fields
    and histories stands for one."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 16) -> None:
        super().__init__()
        self.user = schema.user
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.items = Table(schema.n_items, embedding_dim)  # apart from histories, which speak of other items
        self.bias_table = Table(schema.n_items, 1)

    def queries(self, batch: Batch) -> Tensor:
        if self.user is not None:
            return self.embedding.field(batch, self.user)  # (B, D)
        return query_fields(self.embedding, batch).mean(1)

    def forward(self, batch: Batch) -> Tensor:
        every = torch.arange(self.items.n_rows, device=batch.device)
        scores: Tensor = self.queries(batch) @ self.items(every).T + self.bias_table(every).T  # (B, I)
        return scores

    def loss(self, batch: Batch) -> Tensor:
        assert batch.answer is not None
        queries, others = self.queries(batch), drawn_instead(batch.answer, self.items.n_rows)
        taken, random = (
            (queries * self.items(which)).sum(1) + self.bias_table(which).squeeze(1) for which in (batch.answer, others)
        )
        return pairwise_loss(taken, random)
