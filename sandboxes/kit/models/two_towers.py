"""Two deep towers, one for what is known of the query and one for an item's own fields, met by a product."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import DNN, FeatureEmbedding, ItemFields, SampledSoftmax, n_query_fields, query_fields
from sandboxes.kit.schema import Schema


class TwoTowers(nn.Module):
    """(batch) -> (B, I): Yi et al., RecSys 2019, section 4: unit vectors, a temperature, negatives from the batch corrected for
    popularity; and `uniform` random ones beside them (Yang et al., WWW 2020)."""

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        hidden_units: Sequence[int] = (128, 64),
        temperature: float = 0.1,
        uniform: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding, self.item_fields = FeatureEmbedding(schema, embedding_dim), ItemFields(schema)
        self.query_tower = DNN(n_query_fields(schema) * embedding_dim, hidden_units, dropout)
        self.item_tower = DNN(len(schema.item_fields) * embedding_dim, hidden_units, dropout)
        self.query_output, self.item_output = (nn.Linear(self.query_tower.out_dim, 2 * embedding_dim) for _ in range(2))
        self.softmax = SampledSoftmax(schema, temperature, uniform)

    def meet(self, collection: Collection) -> None:
        self.item_fields.meet(collection)
        self.softmax.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        scores: Tensor = self.queries(batch) @ self.items().T  # (B, I)
        return scores / self.softmax.temperature

    def loss(self, batch: Batch) -> Tensor:
        assert batch.answer is not None
        queries = self.queries(batch)
        return self.softmax.among(batch.answer, lambda which: queries @ self.items(which).T)

    def queries(self, batch: Batch) -> Tensor:
        flat = query_fields(self.embedding, batch).flatten(1)
        return functional.normalize(self.query_output(self.query_tower(flat)), dim=1)  # (B, 2 D)

    def items(self, which: Tensor | None = None) -> Tensor:
        flat = self.item_fields(self.embedding, which).flatten(1)
        return functional.normalize(self.item_output(self.item_tower(flat)), dim=1)  # (B or I, 2 D)
