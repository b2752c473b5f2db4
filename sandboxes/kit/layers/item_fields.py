"""The fields of all items as vectors, for models that score every item there is.

Notation: I ids of the target item, B rows, G fields of an item, D embedding width, W width of vectors made elsewhere.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.schema import UNKNOWN_ID, Schema
from sandboxes.kit.vector_table import VectorTable


class ItemFields(nn.Module):
    """(embedding, ids (B,) or None for all) -> (B, G, D) or (I, G, D). It must `meet` the collection before it knows more of an
    item than its id."""

    ids: Tensor  # (I, C)
    numeric: Tensor  # (I, N)

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        assert schema.target_item is not None
        self.fields = schema.item_fields
        of_ids, _ = schema.item_columns
        ids = torch.zeros(schema.n_items, len(schema.categorical), dtype=torch.int64)
        ids[:, of_ids] = UNKNOWN_ID
        ids[:, schema.index_of(schema.target_item)] = torch.arange(schema.n_items)
        self.register_buffer("ids", ids)
        self.register_buffer("numeric", torch.zeros(schema.n_items, len(schema.numeric)))
        self.vector_names = [v.name for v in schema.vectors]
        of_item = schema.item_vectors
        for i, v in enumerate(schema.vectors):  # one that says nothing of the item is the same for all
            self.register_buffer(f"vectors_{i}", torch.zeros(schema.n_items if i in of_item else 1, v.width))  # (I, W)

    def meet(self, collection: Collection) -> None:
        self.ids.copy_(collection.items.ids)
        self.numeric.copy_(collection.items.numeric)
        for name, own in self._vectors().items():
            if len(own) > 1:
                own.copy_(collection.items.vectors(name))

    def forward(self, embedding: FeatureEmbedding, items: Tensor | None = None) -> Tensor:
        which = slice(None) if items is None else items
        every = torch.arange(len(self.ids), device=self.ids.device)
        rows = {name: every[which].clamp(max=len(own) - 1) for name, own in self._vectors().items()}
        tables = {name: VectorTable(own) for name, own in self._vectors().items()}
        batch = Batch(self.ids[which], self.numeric[which], vector_rows=rows, tables=tables)
        fields: Tensor = embedding(batch)  # (B, F, D)
        return fields[:, self.fields]

    def _vectors(self) -> dict[str, Tensor]:
        return {name: getattr(self, f"vectors_{i}") for i, name in enumerate(self.vector_names)}
