"""What comes next after a history of items that are known by their code words, by self-attention over it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import CodedItemScores, FeatureEmbedding, TransformerHistory, query_fields
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.schema import PADDING_ID, Schema


class CodedSASRec(nn.Module):
    """(batch) -> (B, I): as `SASRec`, but an item's vector, in a history as in the scores, is the sum of its code words' vectors
    in place of one of its id (Singh et al., RecSys 2024, section 4; Hou et al., WWW 2023, section 2.2), so that an item seldom
    taken knows what is learned of those like it. The mean of the query's fields and histories stands beside, as there.
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
        self.items = CodedItemScores(schema, embedding_dim, embedding_dim, levels, codes)
        self.readers = nn.ModuleList(TransformerHistory(embedding_dim, n_layers, n_heads, dropout=dropout) for _ in self.names)
        # Each asks its reader in the place of a target.
        self.next_item = nn.ParameterList(torch.randn(embedding_dim) * INITIAL_STD for _ in self.names)
        self.dropout = nn.Dropout(dropout)

    def meet(self, collection: Collection) -> None:
        self.items.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        read = [query_fields(self.embedding, batch).mean(1)]  # (B, D)
        for name, reader, asks in zip(self.names, self.readers, self.next_item, strict=True):
            history, mask = self.items.vectors_of(batch.history[name]), batch.history[name] != PADDING_ID  # (B, L, D), (B, L)
            read.append(reader(asks.expand(len(batch), -1), self.dropout(history), mask))
        scores: Tensor = self.items(torch.stack(read).sum(0))  # (B, I)
        return scores
