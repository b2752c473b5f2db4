"""A deep network over the fields and what the user's history says of the row at hand, by a transformer over both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FeatureEmbedding, TransformerHistory
from sandboxes.kit.schema import Schema


class BST(nn.Module):
    """(batch) -> (B, T): Chen et al., DLP-KDD 2019, section 2. A history is followed by the row's value of its field.

    Of the encoded sequence the row's own place is read; positions are learned and count back from it.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_layers: int = 1,
        n_heads: int = 2,
        hidden_units: Sequence[int] = (400, 400),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.sequences = schema.sequences
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.encoders = nn.ModuleList(
            TransformerHistory(embedding_dim, n_layers, n_heads, max_length=s.length, dropout=dropout) for s in schema.sequences
        )
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim  # what comes of a history is as wide as a field
        self.deep = DNN(width, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        encoded = []
        for sequence, encoder in zip(self.sequences, self.encoders, strict=True):
            target = self.embedding.target(batch, sequence.name)  # (B, D)
            encoded.append(encoder(target, *self.embedding.history(batch, sequence.name)))  # (B, D)
        flat = torch.cat([self.embedding(batch).flatten(1), *encoded], 1)  # (B, K)
        logits: Tensor = self.output(self.deep(flat))  # (B, T)
        return logits
