"""A factorization machine and a deep network side by side on the same embeddings."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DNN, FactorizationMachine, FeatureEmbedding, LinearTerm
from sandboxes.kit.schema import Schema


class DeepFM(nn.Module):
    """(batch) -> (B, T): Guo et al., IJCAI 2017, eq. 1 to 4. Tasks share the second-order term."""

    def __init__(
        self, schema: Schema, *, embedding_dim: int = 16, hidden_units: Sequence[int] = (400, 400), dropout: float = 0.0
    ) -> None:
        super().__init__()
        n_fields, n_tasks = schema.n_fields + len(schema.sequences), len(schema.tasks)
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.linear = LinearTerm(schema, n_tasks)
        self.fm = FactorizationMachine(n_fields, embedding_dim)
        self.deep = DNN(n_fields * embedding_dim, hidden_units, dropout)
        self.output = nn.Linear(self.deep.out_dim, n_tasks)

    def forward(self, batch: Batch) -> Tensor:
        fields = self.embedding.with_histories(batch)  # (B, F, D)
        first_order: Tensor = self.linear(batch)  # (B, T)
        second_order: Tensor = self.fm(fields)  # (B, 1)
        deep: Tensor = self.output(self.deep(fields.flatten(1)))  # (B, T)
        return first_order + second_order + deep
