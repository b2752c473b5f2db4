"""Several tasks on one deep network: shared hidden layers, then a small tower a task."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import Schema


class SharedBottom(nn.Module):
    """(batch) -> (B, T): Caruana, Machine Learning 28, 1997; the baseline of Ma et al., KDD 2018, eq. 1."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (400, 400),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = layers.FeatureEmbedding(schema, embedding_dim)
        self.tower = layers.SharedBottom(width, len(schema.tasks), hidden_units, tower_units, dropout)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.tower(self.embedding.with_histories(batch).flatten(1))  # (B, T)
        return logits
