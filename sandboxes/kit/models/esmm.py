"""Click and conversion over the entire space: a tower a task on shared embeddings, and products along what is given what."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import EntireSpaceProduct, FeatureEmbedding, SharedBottom
from sandboxes.kit.schema import Schema


class ESMM(nn.Module):
    """(batch) -> (B, T): Ma et al., SIGIR 2018, eq. 1 to 3. A task that is given no other keeps its tower's own logit."""

    def __init__(
        self, schema: Schema, *, embedding_dim: int = 16, tower_units: Sequence[int] = (400, 400), dropout: float = 0.0
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.towers = SharedBottom(width, len(schema.tasks), (), tower_units, dropout)  # nothing but embeddings is shared
        self.product = EntireSpaceProduct(schema)

    def forward(self, batch: Batch) -> Tensor:
        own = self.towers(self.embedding.with_histories(batch).flatten(1))  # (B, T)
        logits: Tensor = self.product(own)  # (B, T)
        return logits
