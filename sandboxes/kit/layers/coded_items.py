"""Items as sums of their code words' vectors.

Notation: B rows, K width of a query, I ids of the target item, T words of an item, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.layers.item_tokeniser import ItemTokeniser
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import FIRST_ID, Schema


class CodedItems(nn.Module):
    """(trie, items (...)) -> (..., D): the sum of the vectors of an item's words, each depth with vectors of its own (Hou et al.,
    WWW 2023, section 2.2; Singh et al., RecSys 2024, section 4). Items that share words share what is learned of them. Padding
    and the unknown have a vector of their own."""

    offsets: Tensor

    def __init__(self, trie: CodeTrie, embedding_dim: int) -> None:
        super().__init__()
        ends = torch.tensor(trie.sizes).cumsum(0)
        self.register_buffer("offsets", ends - torch.tensor(trie.sizes), persistent=False)  # (T,)
        self.no_item = int(ends[-1])
        self.table = Table(self.no_item + 1, embedding_dim)

    def forward(self, trie: CodeTrie, items: Tensor) -> Tensor:
        rows = (trie.words[items] + self.offsets).masked_fill(items.unsqueeze(-1) < FIRST_ID, self.no_item)  # (..., T)
        vectors: Tensor = self.table(rows).sum(-2)
        return vectors


class CodedItemScores(nn.Module):
    """(query (B, K)) -> (B, I): the query, mapped linearly, times every item's sum of its code words' vectors, plus such a sum of
    biases. It must `meet` the collection, which gives items their words."""

    def __init__(self, schema: Schema, embedding_dim: int, in_dim: int, levels: int = 3, codes: int = 32) -> None:
        super().__init__()
        self.tokeniser = ItemTokeniser(schema, levels, codes)
        self.query = nn.Linear(in_dim, embedding_dim)
        self.items = CodedItems(self.tokeniser.trie, embedding_dim + 1)  # the last column is the bias

    def meet(self, collection: Collection) -> None:
        self.tokeniser.meet(collection)

    def forward(self, query: Tensor) -> Tensor:
        trie = self.tokeniser.trie
        every = self.items(trie, torch.arange(trie.n_items, device=query.device))  # (I, D + 1)
        scores: Tensor = torch.addmm(every[:, -1], self.query(query), every[:, :-1].T)  # (B, I)
        return scores

    def vectors_of(self, items: Tensor) -> Tensor:
        """The vectors (..., D) that score items (...), for histories to share."""
        vectors: Tensor = self.items(self.tokeniser.trie, items)
        return vectors[..., :-1]
