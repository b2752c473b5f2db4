"""Which tuples of code words are items: a trie as arrays, of a size that depends on the number of items alone.

Notation: I ids of the target item, T words of a tuple, B rows, N nodes asked about, W words of a depth.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.schema import FIRST_ID


class CodeTrie(nn.Module):
    """The words of all items, and the trie that they make. Nodes of a depth are numbered in the order of their tuples, so that
    children of one node follow one another. The ids of padding and of the unknown, which are no items, are not in it.
    """

    words: Tensor  # (I, T) of every item
    nodes: Tensor  # (I, T + 1) that lead to every item, from the root to its leaf
    first_child: Tensor  # (T, I + 1) of each node of a depth, and where the last one's children end
    word_of: Tensor  # (T, I) by which each node of the next depth is reached
    item_of: Tensor  # (I,) at each leaf

    def __init__(self, n_items: int, sizes: Sequence[int]) -> None:
        super().__init__()
        self.n_items, self.sizes = n_items, tuple(sizes)
        depth = len(self.sizes)
        shapes = {
            "words": (n_items, depth),
            "nodes": (n_items, depth + 1),
            "first_child": (depth, n_items + 1),
            "word_of": (depth, n_items),
            "item_of": (n_items,),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.int64))

    @torch.no_grad()
    def grow(self, words: Tensor) -> None:
        """`words` (I, T) int64, of which no two rows of items are alike; the first two rows do not matter."""
        self.words.copy_(words)
        for name in ("nodes", "first_child", "word_of", "item_of"):
            getattr(self, name).zero_()
        parent = torch.zeros_like(words[FIRST_ID:, 0])  # of each item, the node of the depth before
        for depth, size in enumerate(self.sizes):
            paths, node = torch.unique(parent * size + words[FIRST_ID:, depth], return_inverse=True)
            n_parents = 1 if depth == 0 else int(parent.max()) + 1
            edges = torch.arange(n_parents + 1, device=words.device) * size
            self.first_child[depth, : n_parents + 1] = torch.searchsorted(paths, edges)
            self.first_child[depth, n_parents + 1 :] = len(paths)
            self.word_of[depth, : len(paths)] = paths % size
            self.nodes[FIRST_ID:, depth + 1] = parent = node
        if len(torch.unique(parent)) < len(parent):
            raise ValueError("two items have the same code words")
        self.item_of[parent] = torch.arange(FIRST_ID, self.n_items, device=words.device)

    def n_nodes(self, depth: int) -> int:
        """How many nodes there are that many words below the root."""
        return 1 if depth == 0 else int(self.first_child[depth - 1, -1])

    def parents(self, depth: int) -> Tensor:
        """Of all nodes of the depth after: which node of `depth` each is a child of."""
        children = torch.arange(self.n_nodes(depth + 1), device=self.nodes.device)
        return torch.searchsorted(self.first_child[depth], children, right=True) - 1

    def branches(self, depth: int, nodes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of nodes (...) of a depth: their children's numbers, the words these are reached by, and which of them there are, each
        (..., W). What stands for a child that is not there is another node's."""
        first, end = self.first_child[depth][nodes], self.first_child[depth][nodes + 1]
        numbers = first.unsqueeze(-1) + torch.arange(self.sizes[depth], device=nodes.device)
        there = numbers < end.unsqueeze(-1)
        numbers = numbers.clamp(max=self.n_items - 1)
        return numbers, self.word_of[depth][numbers], there
