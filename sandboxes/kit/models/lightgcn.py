"""Vectors of users and items, smoothed over the graph of who took what, and nothing else."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import FeatureEmbedding, GraphScores, drawn_instead, pairwise_loss, query_fields
from sandboxes.kit.layers.graph_scores import INITIAL_STD
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import Schema


class LightGCN(nn.Module):
    """(batch) -> (B, I): He et al., SIGIR 2020. Where the schema names no user there is no graph: what is left is the product
    of the mean of the query's fields and histories with an item's vector."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 16, n_layers: int = 3) -> None:
        super().__init__()
        known = schema.user is not None
        self.graph = GraphScores(schema, embedding_dim, n_layers) if known else None
        self.query_embedding = None if known else FeatureEmbedding(schema, embedding_dim)
        self.item_table = None if known else Table(schema.n_items, embedding_dim, INITIAL_STD)

    def meet(self, collection: Collection) -> None:
        if self.graph is not None:
            self.graph.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        queries, items = self._vectors(batch)
        return queries @ items.T  # (B, I)

    def loss(self, batch: Batch) -> Tensor:
        assert batch.answer is not None
        queries, items = self._vectors(batch)
        others = drawn_instead(batch.answer, len(items))
        taken, random = ((queries * items[which]).sum(1) for which in (batch.answer, others))
        return pairwise_loss(taken, random)

    def _vectors(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Of the batch's queries (B, D) and of all items (I, D)."""
        if self.graph is not None:
            return self.graph.vectors(batch)
        assert self.query_embedding is not None and self.item_table is not None
        return query_fields(self.query_embedding, batch).mean(1), self.item_table.weight
