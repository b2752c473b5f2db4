"""Generates the code words of the next item."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import CodedItems, FeatureEmbedding, QueryMemory, SemanticIdDecoder, query_fields
from sandboxes.kit.schema import PADDING_ID, Schema


class SemanticIds(nn.Module):
    """(batch) -> (B, I): Rajput et al., NeurIPS 2023: items become tuples of code words by what they are like, and a transformer
    reads the words of past items and says those of the next one.

    Code words are made when the model meets the items, and stay as they are. What items are like is what `layers.item_content`
    says; the paper has vectors of their texts. An item of a history is one token, the sum of its words' vectors, where the paper
    has a token for each word; the query's fields and pooled histories stand beside them, which the paper has not: no baseline is
    to know less than a candidate.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding_dim: int = 16,
        levels: int = 3,
        codes: int = 32,
        n_layers: int = 2,
        n_heads: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.names = [s.name for s in schema.sequences if s.of == schema.target_item]
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.memory = QueryMemory(embedding_dim, len(self.names), n_layers if self.names else 0, n_heads, dropout)
        self.decoder = SemanticIdDecoder(schema, embedding_dim, embedding_dim, levels, codes, 1, n_heads, dropout)
        self.past_items = CodedItems(self.decoder.tokeniser.trie, embedding_dim) if self.names else None
        self.dropout = nn.Dropout(dropout)

    def meet(self, collection: Collection) -> None:
        self.decoder.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        scores: Tensor = self.decoder(*self.read(batch))
        return scores

    def predict(self, batch: Batch) -> Tensor:
        return self.decoder.search(*self.read(batch))

    def loss(self, batch: Batch) -> Tensor:
        assert batch.answer is not None
        memory, real = self.read(batch)
        return self.decoder.loss(memory, batch.answer, real)

    def read(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The memory (B, M, D) of the rows, and which of it is real (B, M)."""
        histories = [self._events(batch.history[name]) for name in self.names]
        memory: tuple[Tensor, Tensor] = self.memory(query_fields(self.embedding, batch), histories)
        return memory

    def _events(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Of a history (B, L): vectors (B, L, D) and mask (B, L)."""
        assert self.past_items is not None
        return self.dropout(self.past_items(self.decoder.tokeniser.trie, items)), items != PADDING_ID
