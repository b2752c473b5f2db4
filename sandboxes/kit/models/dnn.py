"""Deep neural network: fully connected layers over the concatenated field embeddings."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import Schema


class DNN(nn.Module):
    """(batch) -> (B, T): the deep component of Guo et al., IJCAI 2017, eq. 3 and 4, by itself."""

    def __init__(
        self, schema: Schema, *, embedding_dim: int = 16, hidden_units: Sequence[int] = (400, 400), dropout: float = 0.0
    ) -> None:
        super().__init__()
        n_fields = schema.n_fields + len(schema.sequences)
        self.embedding = layers.FeatureEmbedding(schema, embedding_dim)
        self.deep = layers.DNN(n_fields * embedding_dim, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        flat = self.embedding.with_histories(batch).flatten(1)  # (B, F * D)
        logits: Tensor = self.output(self.deep(flat))  # (B, T)
        return logits
