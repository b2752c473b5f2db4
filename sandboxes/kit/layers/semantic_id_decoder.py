"""Generates the next item: code word after code word, each given the query and the words before.

Notation: B rows, M memory tokens, K their width, D embedding width, I ids of the target item.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.code_decoder import CodeDecoder, Prefixes
from sandboxes.kit.layers.item_tokeniser import ItemTokeniser
from sandboxes.kit.layers.trie_search import all_log_probs, beam_log_probs, path_log_probs
from sandboxes.kit.schema import FIRST_ID, Schema

EXACT_ITEMS = 4096  # up to so many `search` evaluates the whole trie
BEAM = 200  # a list has 100 places, and what a user took before is ruled out afterwards
STATES_AT_ONCE = 1 << 18  # rows times nodes


class SemanticIdDecoder(nn.Module):
    """(memory (B, M, K), or one vector (B, K) of a query, and which tokens are real (B, M)) -> (B, I): the log-probability of
    every item's tuple of code words, a sum over its words (Rajput et al., NeurIPS 2023, section 3.2), exactly. Ids that are no
    items get the least of the row's scores.

    It must `meet` the collection, which gives items their words. `loss` of given items needs their own words alone. `search` is
    for prediction: it takes a beam where items are many.
    """

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        in_dim: int,
        levels: int = 3,
        codes: int = 32,
        n_layers: int = 1,
        n_heads: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.tokeniser = ItemTokeniser(schema, levels, codes)
        self.memory = nn.Linear(in_dim, embedding_dim)
        self.decoder = CodeDecoder(self.tokeniser.trie.sizes, embedding_dim, n_layers, n_heads, dropout)

    def meet(self, collection: Collection) -> None:
        self.tokeniser.meet(collection)

    def forward(self, memory: Tensor, real: Tensor | None = None) -> Tensor:
        scores = all_log_probs(self.decoder, self.tokeniser.trie, self._begun(memory, real))
        return torch.cat([scores[:, FIRST_ID:].amin(1, keepdim=True).expand(-1, FIRST_ID), scores[:, FIRST_ID:]], 1)

    def loss(self, memory: Tensor, items: Tensor, real: Tensor | None = None) -> Tensor:
        """The mean negative log-probability of the items (B,), a scalar; that of a softmax over `forward`'s scores."""
        return -path_log_probs(self.decoder, self.tokeniser.trie, self._begun(memory, real), items).mean()

    def search(self, memory: Tensor, real: Tensor | None = None) -> Tensor:
        """Scores (B, I): those of `forward` where there are at most EXACT_ITEMS, else those of BEAM items that a beam search
        finds, and minus infinity for all others."""
        trie = self.tokeniser.trie
        exact = trie.n_items <= EXACT_ITEMS
        rows = max(1, STATES_AT_ONCE // (trie.n_items if exact else BEAM))
        parts = zip(torch.split(memory, rows), [None] * len(memory) if real is None else torch.split(real, rows), strict=False)
        return torch.cat(
            [
                self(some, which) if exact else beam_log_probs(self.decoder, trie, self._begun(some, which), BEAM)
                for some, which in parts
            ]
        )

    def _begun(self, memory: Tensor, real: Tensor | None) -> Prefixes:
        return self.decoder.begin(self.memory(memory if memory.dim() == 3 else memory.unsqueeze(1)), real)
