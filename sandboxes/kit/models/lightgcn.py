"""Vectors of users and items, smoothed over the graph of who took what, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import FeatureEmbedding, GraphPropagation, drawn_instead, pairwise_ranking, query_fields
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema

INITIAL_STD = 0.1  # the mean over layers shrinks vectors, and products of two of them even more


class LightGCN(nn.Module):
    """(batch) -> (B, I): He et al., SIGIR 2020. Where the schema names no user there is no graph: what is left is the product
    of the mean of the query's fields and histories with an item's vector."""

    final_users: Tensor  # (U, D), as last propagated
    final_items: Tensor  # (I, D)

    def __init__(self, schema: Schema, *, embedding_dim: int = 16, n_layers: int = 3) -> None:
        super().__init__()
        self.user_column = None if schema.user is None else schema.index_of(schema.user)
        self.item_table, self.propagation = Table(schema.n_items, embedding_dim, INITIAL_STD), GraphPropagation(n_layers)
        self.query_embedding = FeatureEmbedding(schema, embedding_dim) if self.user_column is None else None
        n_users = 0 if self.user_column is None else schema.categorical[self.user_column].cardinality
        self.user_table = Table(n_users, embedding_dim, INITIAL_STD) if n_users else None
        self.register_buffer("final_users", torch.zeros(n_users, embedding_dim))
        self.register_buffer("final_items", torch.zeros(schema.n_items, embedding_dim))

    def meet(self, collection: Collection) -> None:
        if self.user_table is not None:
            self.propagation.connect(collection.events, len(self.final_users), len(self.final_items))
            self._keep(*self._propagated())

    def forward(self, batch: Batch) -> Tensor:
        queries, items = self._vectors(batch)
        return queries @ items.T  # (B, I)

    def loss(self, batch: Batch) -> Tensor:
        assert batch.answer is not None
        queries, items = self._vectors(batch)
        others = drawn_instead(batch.answer, len(items))
        taken, random = ((queries * items[which]).sum(1) for which in (batch.answer, others))
        return pairwise_ranking(taken, random)

    def _vectors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Of the batch's queries (B, D) and of all items (I, D)."""
        if self.query_embedding is not None:
            return query_fields(self.query_embedding, batch).mean(1), self.item_table.weight
        users, items = self._propagated() if self.propagation.connected else (self.final_users, self.final_items)
        if not self.training and self.propagation.connected:
            self._keep(users, items)
        return users[batch.ids[:, self.user_column]], items

    def _propagated(self) -> tuple[Tensor, Tensor]:
        assert self.user_table is not None
        users, items = self.propagation(self.user_table.weight, self.item_table.weight)
        return users, items

    @torch.no_grad()
    def _keep(self, users: Tensor, items: Tensor) -> None:
        """For a served model, which has no graph."""
        self.final_users.copy_(users)
        self.final_items.copy_(items)
