"""The fields of all items as vectors, for models that score every item there is.

Notation: I ids of the target item, B rows, G fields of an item, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.schema import UNKNOWN_ID, Schema


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

    def meet(self, collection: Collection) -> None:
        self.ids.copy_(collection.items.ids)
        self.numeric.copy_(collection.items.numeric)

    def forward(self, embedding: FeatureEmbedding, items: Tensor | None = None) -> Tensor:
        which = slice(None) if items is None else items
        fields: Tensor = embedding(Batch(self.ids[which], self.numeric[which]))  # (B, F, D)
        return fields[:, self.fields]
