"""Several tasks on shared experts: a gate a task mixes them, and a small tower follows."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import Schema


class MMoE(nn.Module):
    """(batch) -> (B, T): Ma et al., KDD 2018, eq. 6 and 7."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_experts: int = 8,
        hidden_units: Sequence[int] = (256, 128),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = layers.FeatureEmbedding(schema, embedding_dim)
        self.tower = layers.MMoE(width, len(schema.tasks), n_experts, hidden_units, tower_units, dropout)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.tower(self.embedding.with_histories(batch).flatten(1))  # (B, T)
        return logits
