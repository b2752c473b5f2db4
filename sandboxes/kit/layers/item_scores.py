"""The last step of a model that predicts items: how well every item fits what is known of the query.

Notation: B rows, K width of what is known, G fields of an item, D embedding width, I ids of the target item.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.item_fields import ItemFields
from sandboxes.kit.schema import Schema


class ItemScores(nn.Module):
    """(query (B, K), embedding) -> (B, I): the query, mapped linearly, times the sum of an item's vectors of its fields, plus a
    bias of the item. It must `meet` the collection before it knows more of an item than its id.

    Histories share an item's vectors; a linear map tells the two uses apart.
    """

    def __init__(self, schema: Schema, embedding_dim: int, query_dim: int) -> None:
        super().__init__()
        self.item_fields = ItemFields(schema)
        self.query = nn.Linear(query_dim, embedding_dim)
        self.item = nn.Linear(embedding_dim, embedding_dim, bias=False)
        self.bias = nn.Linear(embedding_dim, 1, bias=False)

    def meet(self, collection: Collection) -> None:
        self.item_fields.meet(collection)

    def forward(self, query: Tensor, embedding: FeatureEmbedding) -> Tensor:
        vectors = self.item_fields(embedding).sum(1)  # (I, D)
        scores: Tensor = self.query(query) @ self.item(vectors).T + self.bias(vectors).T  # (B, I)
        return scores
