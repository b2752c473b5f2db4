"""Factorization machine: logistic regression plus all pairwise inner products of field embeddings."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FactorizationMachine, FeatureEmbedding, LinearTerm
from sandboxes.kit.schema import Schema


class FM(nn.Module):
    """(batch) -> (B, T): Rendle, ICDM 2010, eq. 1. Tasks share the second-order term. With one field there are no pairs."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 16) -> None:
        super().__init__()
        n_fields = schema.n_fields + len(schema.sequences)
        self.linear = LinearTerm(schema, len(schema.tasks))
        self.embedding = FeatureEmbedding(schema, embedding_dim) if n_fields > 1 else None
        self.fm = FactorizationMachine(n_fields, embedding_dim)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.linear(batch)  # (B, T)
        if self.embedding is not None:
            logits = logits + self.fm(self.embedding.with_histories(batch))  # (B, 1), added to every task
        return logits
