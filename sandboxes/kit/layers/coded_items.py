"""Items as sums of their code words' vectors. Notation: T words of an item, D width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import FIRST_ID


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
