"""What comes next after a history of items, by self-attention over it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding, NextItemReader, query_fields
from sandboxes.kit.schema import Schema


class SASRec(nn.Module):
    """(batch) -> (B, I): Kang and McAuley, ICDM 2018, with the vectors of items shared by history and scores (section III-D),
    and a softmax over all items in place of one sampled negative. Every event is a row with its own history, so that a row has
    one answer where the paper predicts at every position.

    Histories of the item are read in their order; beside what is read stands the mean of the query's fields and histories, which
    the paper has not: no baseline is to know less than a candidate.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_layers: int = 2,
        n_heads: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        assert schema.target_item is not None
        self.item, self.n_items = schema.target_item, schema.n_items
        self.names = [s.name for s in schema.sequences if s.of == schema.target_item]
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.reader = NextItemReader(len(self.names), embedding_dim, n_layers, n_heads, dropout)

    def forward(self, batch: Batch) -> Tensor:
        every = torch.arange(self.n_items, device=batch.device)
        scores: Tensor = self.queries(batch) @ self.embedding.vectors_of(self.item, every, batch).T  # (B, I)
        return scores

    def queries(self, batch: Batch) -> Tensor:
        rest = query_fields(self.embedding, batch).mean(1)  # (B, D)
        read: Tensor = self.reader(rest, [self.embedding.history(batch, name) for name in self.names])
        return read
