"""Items as tuples of code words, made from what is known of them.

Notation: I ids of the target item, W width of content, Q levels, K codes, T = Q + 1 words of an item, S items of a step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.code_collisions import room_in_tuple, told_apart
from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.layers.item_content import content_width, item_content
from sandboxes.kit.layers.residual_quantiser import ResidualQuantiser
from sandboxes.kit.schema import FIRST_ID, Schema

ITEMS_A_STEP = 2048
ITEMS_A_CODE = 4  # at least so many for each code of a level: else the first word would be an item's id by another name


class ItemTokeniser(nn.Module):
    """`trie` holds the words of all items, Q of a residual quantiser and one that tells apart items of one tuple (Rajput et al.,
    NeurIPS 2023, section 3.1). It must `meet` the collection, and has words from then on; those before mean nothing.

    `loss` trains the quantiser. Words are made anew when a stage of training begins, so that they are fixed within a stage: a
    first stage on `loss` and a second one in which it is frozen. A served model needs the trie alone.
    """

    content: Tensor  # (I, W), of training alone
    order: Tensor  # (I - 2,) items, those taken most often first

    def __init__(self, schema: Schema, levels: int = 3, codes: int = 32, latent_dim: int = 16) -> None:
        super().__init__()
        self.schema = schema
        codes = min(codes, max(1, schema.n_items // ITEMS_A_CODE))
        self.room = room_in_tuple(schema.n_items, codes)
        self.quantiser = ResidualQuantiser(content_width(schema), latent_dim, levels, codes)
        self.trie = CodeTrie(schema.n_items, (*[codes] * levels, self.room))
        self.register_buffer("content", torch.zeros(schema.n_items, content_width(schema)), persistent=False)
        self.register_buffer("order", torch.arange(FIRST_ID, schema.n_items), persistent=False)
        self._make_words()

    def meet(self, collection: Collection) -> None:
        self.content.copy_(item_content(self.schema, collection))
        self.order.copy_(collection.counts[FIRST_ID:].argsort(descending=True, stable=True) + FIRST_ID)
        self.quantiser.start(self.content[FIRST_ID:])
        self._make_words()

    def set_progress(self, progress: float) -> None:
        if progress == 0:
            self._make_words()

    def loss(self) -> Tensor:
        """What the quantiser makes of the content of some items, all where they are few, a scalar."""
        items = self.content[FIRST_ID:]
        if len(items) > ITEMS_A_STEP:
            items = items[torch.randint(len(items), (ITEMS_A_STEP,), device=items.device)]  # (S, W)
        return self.quantiser.loss(items)

    @torch.no_grad()
    def _make_words(self) -> None:
        """Of items of one tuple, those taken more often get the lower numbers, so that the last word has a meaning too."""
        codes, distances = self.quantiser.tokens(self.content[self.order])
        words = torch.zeros_like(self.trie.words)
        words[self.order] = told_apart(codes, distances, self.room)
        self.trie.grow(words)
