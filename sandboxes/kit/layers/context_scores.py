"""How well every item or action fits a context, by a deep tower over what is known of it; and what reward each may bring.

Notation: B rows, I ids of the target item.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.dnn import DNN
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.item_scores import ItemScores
from sandboxes.kit.layers.query_fields import n_query_fields, query_fields
from sandboxes.kit.schema import Schema


class ContextScores(nn.Module):
    """(batch) -> (B, I): fields of user and context and means of histories, through a deep tower, against every item's fields."""

    def __init__(self, schema: Schema, embedding_dim: int, hidden_units: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.tower = DNN(n_query_fields(schema) * embedding_dim, hidden_units, dropout)
        self.output = ItemScores(schema, embedding_dim, self.tower.out_dim)

    def meet(self, collection: Collection) -> None:
        self.output.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        context = self.tower(query_fields(self.embedding, batch).flatten(1))  # (B, K)
        scores: Tensor = self.output(context, self.embedding)  # (B, I)
        return scores


class RewardEstimates(nn.Module):
    """(batch) -> (B, I): the log-odds of a reward for every action, to be fitted by `reward_regression`."""

    def __init__(self, schema: Schema, embedding_dim: int, hidden_units: Sequence[int], dropout: float = 0.0) -> None:
        super().__init__()
        self.scores = ContextScores(schema, embedding_dim, hidden_units, dropout)
        self.base = nn.Parameter(torch.zeros(()))

    def meet(self, collection: Collection) -> None:
        self.scores.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        estimates: Tensor = self.scores(batch) + self.base
        return estimates
