"""Several tasks on experts of their own beside shared ones, mixed level by level."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit import layers
from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import Schema


class PLE(nn.Module):
    """(batch) -> (B, T): Tang et al., RecSys 2020, eq. 5 to 8. `hidden_units` are the layers of one expert in each level."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        n_levels: int = 2,
        n_task_experts: int = 2,
        n_shared_experts: int = 2,
        hidden_units: Sequence[int] = (256,),
        tower_units: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        width = (schema.n_fields + len(schema.sequences)) * embedding_dim
        self.embedding = layers.FeatureEmbedding(schema, embedding_dim)
        self.tower = layers.ProgressiveLayeredExtraction(
            width, len(schema.tasks), n_levels, n_task_experts, n_shared_experts, hidden_units, tower_units, dropout
        )

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.tower(self.embedding.with_histories(batch).flatten(1))  # (B, T)
        return logits
