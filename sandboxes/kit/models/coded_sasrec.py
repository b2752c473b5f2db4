"""What comes next after a history of items that are known by their code words, by self-attention over it."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import CodedItemScores, FeatureEmbedding, NextItemReader, query_fields
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
        self.reader = NextItemReader(len(self.names), embedding_dim, n_layers, n_heads, dropout)

    def meet(self, collection: Collection) -> None:
        self.items.meet(collection)

    def forward(self, batch: Batch) -> Tensor:
        taken = [batch.history[name] for name in self.names]  # each (B, L)
        histories = [(self.items.vectors_of(items), items != PADDING_ID) for items in taken]  # (B, L, D), (B, L)
        scores: Tensor = self.items(self.reader(query_fields(self.embedding, batch).mean(1), histories))  # (B, I)
        return scores
