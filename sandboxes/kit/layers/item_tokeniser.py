"""Items as tuples of code words, made from what is known of them before a model trains.

Notation: I ids of the target item, W width of content, Q levels, K codes, T = Q + 1 words of an item.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.code_collisions import room_in_tuple, told_apart
from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.layers.item_content import item_content
from sandboxes.kit.layers.residual_quantiser import ResidualQuantiser
from sandboxes.kit.schema import FIRST_ID, Schema

ITEMS_A_CODE = 4  # at least so many for each code of a level: else the first word would be an item's id by another name
STEPS, ITEMS_A_STEP, LEARNING_RATE = 60, 1024, 1e-2  # of training the quantiser


# Arguments of every card whose block tokenises items.
LEVELS = Argument(
    "levels",
    3,
    (
        "number of codebooks",
        "codebook levels",
        "quantization levels",
        "number of levels",
        "levels of residual quantization",
        "length of the semantic id",
        "code length",
    ),
    low=1,
    high=16,
)
CODES = Argument(
    "codes",
    32,
    (
        "codebook size",
        "size of each codebook",
        "codebook cardinality",
        "codes per level",
        "entries per codebook",
        "codewords per level",
    ),
    low=1,
    high=65536,
)


class Quantiser(Protocol):
    """Learns to say vectors (N, W) in code words: `start` puts code vectors where they belong, `loss` is what is minimised."""

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def start(self, vectors: Tensor) -> None: ...

    def loss(self, vectors: Tensor) -> Tensor: ...

    def tokens(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (N, Q) int64, and the distances (N, K) to the last word's code vectors."""
        ...


class ItemTokeniser(nn.Module):
    """`trie` holds the words of all items, Q of a residual quantiser and one that tells apart items of one tuple (Rajput et al.,
    NeurIPS 2023, section 3.1). It must `meet` the collection, and has words from then on; those before mean nothing.

    The quantiser learns from items and not from queries, so that it is trained there and then, and forgotten: a model trains with
    words that are fixed, for all of its epochs, and a served one has the trie.
    """

    def __init__(self, schema: Schema, levels: int = 3, codes: int = 32, latent_dim: int = 16) -> None:
        super().__init__()
        self.schema, self.levels, self.latent_dim = schema, levels, latent_dim
        self.codes = min(codes, max(1, schema.n_items // ITEMS_A_CODE))
        self.room = room_in_tuple(schema.n_items, self.codes)
        self.trie = CodeTrie(schema.n_items, (*[self.codes] * levels, self.room))
        alike = torch.zeros(schema.n_items - FIRST_ID, levels, dtype=torch.int64)
        self._name(torch.arange(FIRST_ID, schema.n_items), alike, torch.zeros(len(alike), self.codes))

    def meet(self, collection: Collection) -> None:
        content, quantiser = self.learned(collection)
        often_first = collection.counts[FIRST_ID:].argsort(descending=True, stable=True)
        codes, distances = quantiser.tokens(content[often_first])
        self._name(often_first + FIRST_ID, codes, distances)

    def learned(self, collection: Collection) -> tuple[Tensor, Quantiser]:
        """What the items but for the first two ids are like (I - 2, W), and a quantiser that has learned from it."""
        content = item_content(self.schema, collection)[FIRST_ID:]
        return content, trained_quantiser(content, self.latent_dim, self.levels, self.codes)

    def _name(self, items: Tensor, codes: Tensor, distances: Tensor) -> None:
        """Of the items that share a tuple, those which come first get the lower numbers: taken most often, so that the last word
        has a meaning of its own."""
        words = torch.zeros_like(self.trie.words)
        words[items] = told_apart(codes, distances, self.room)
        self.trie.grow(words)


def trained_quantiser(vectors: Tensor, latent_dim: int, levels: int, codes: int) -> ResidualQuantiser:
    """Fitted to `vectors` (N, W), N > 0."""
    quantiser = ResidualQuantiser(vectors.shape[1], latent_dim, levels, codes)
    fit_quantiser(quantiser, vectors)
    return quantiser


def fit_quantiser(quantiser: Quantiser, vectors: Tensor) -> None:
    """Fits it to `vectors` (N, W), N > 0, by a fixed number of Adam's steps from where k-means starts it, and k-means once
    more."""
    quantiser.start(vectors)
    optimizer = torch.optim.Adam(quantiser.parameters(), lr=LEARNING_RATE, fused=True)
    for _ in range(STEPS):
        some = vectors
        if len(vectors) > ITEMS_A_STEP:
            some = vectors[torch.randint(len(vectors), (ITEMS_A_STEP,))]
        optimizer.zero_grad()
        quantiser.loss(some).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    optimizer.zero_grad()
    quantiser.start(vectors)  # the last steps have moved the encoder from under its code vectors
