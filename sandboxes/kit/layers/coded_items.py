"""Items as sums of their code words' vectors.

Notation: B rows, K width of a query, I ids of the target item, T words of an item, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.code_trie import CodeTrie
from sandboxes.kit.layers.item_tokeniser import CODES, LEVELS, ItemTokeniser
from sandboxes.kit.layers.table import Table
from sandboxes.kit.schema import FIRST_ID, Schema

CARD = Card(
    name="residual_quantisation",
    block="CodedItemScores",
    slot="item_scores",
    needs=("items",),
    summary="Makes a few code words of every item by residual quantisation of its content, and scores items by the sum of "
    "their words' vectors.",
    equation="c_l = argmin_k |r_{l-1} - b_lk|, r_l = r_{l-1} - b_{l c_l} (Zeghidour et al., IEEE/ACM TASLP 2021, algorithm 1; of "
    "items Rajput et al., NeurIPS 2023, section 3.1); s(q, i) = <W q, sum_l e_{l c_l(i)}> (Singh et al., RecSys 2024, section 4)",
    cues=(
        "residual quantization",
        "residual quantisation",
        "residual-quantized",
        "residual vector quantization",
        "rq-vae",
        "rqvae",
        "semantic ids",
        "semantic id",
        "discrete item codes",
        "code embeddings of the item",
        "sum of the code embeddings",
        "embeddings of its codes",
        "hierarchy of codebooks",
        "multi-level codebooks",
        "commitment loss",
        "item codes",
    ),
    descriptions=(
        "Each item is turned into a short tuple of discrete codes, and its vector is the sum of the embeddings of these codes.",
        "An autoencoder with several codebooks in a row discretises the content vector of every item.",
        "The second codebook encodes what the first one could not express, the third what is still left.",
        "Item embeddings are composed of shared code embeddings instead of being looked up by an id of the item's own.",
        (
            "Items with similar content share their leading codes, so that rare and new items inherit what frequent ones "
            "have taught."
        ),
        "The table of item ids is replaced by a few small codebooks whose entries are shared across the catalogue.",
        (
            "We quantise the content embedding of each item with a residual-quantised autoencoder: at every level the "
            "nearest entry of that level's codebook is chosen and subtracted, and the remainder is passed on to the next "
            "level. The indices of the chosen entries form the item's discrete representation."
        ),
        (
            "The quantiser is trained with a reconstruction term, a term that moves codebook vectors towards the residuals "
            "and a commitment term; gradients are copied straight through the discrete choice. After training it is frozen, "
            "and each item is represented by the embeddings of its codes, which are learned with the recommender."
        ),
        (
            "To avoid memorising random item ids, we represent an item in the ranking model by codes derived from its "
            "content. The embeddings of its codes at all levels are summed, which keeps the number of parameters "
            "independent of the number of items."
        ),
        (
            "Codebooks are initialised by clustering the first residuals, which prevents codes that are never used. Items "
            "that end up with identical codes are kept apart by an additional index."
        ),
        (
            "A song gets an address like a postal one: country, then town, then street. Each line of the address is read "
            "from a list of a few dozen names, always the one that best explains what the lines above left unexplained. The "
            "vector of the song is the sum of what its lines mean, so two ballads from the same town already agree in most "
            "of it."
        ),
        (
            "Breaking news has no readers yet. We therefore describe an article by three words from three learned "
            "dictionaries, chosen greedily from its text vector, each to fix the error of those before. All articles with "
            "the same first word lend it their statistics, and the scorer multiplies reader and summed word vectors."
        ),
        (
            "An app published yesterday shares its leading symbols with apps of the same kind, and what those symbols have "
            "learned from millions of installs serves it from its first impression on. The symbols come from successive "
            "rounding: round the app's description vector to the closest prototype, take the difference, round that again."
        ),
        (
            "With r_0 the encoder's output, for l = 1..m, c_l is the index of the nearest row of table l to r_{l-1}, and "
            "r_l is r_{l-1} minus that row. The entity (c_1, ..., c_m) then has embedding sum_l E_l[c_l], and the affinity "
            "to traveller u is the inner product with u."
        ),
        (
            "Hotels are many and bookings per hotel are few. Instead of one free vector for each hotel, we store a handful "
            "of small tables and let every hotel pick one row from each; the choice is made beforehand from its description "
            "by encoding, subtracting, and encoding the remainder again."
        ),
        (
            "Storage falls from hundreds of millions of rows to a few thousand: the product vector is assembled from table "
            "entries that many products use. Which entries is decided offline by a discretising autoencoder on product "
            "attributes, coarse distinctions first, fine ones later."
        ),
        (
            "Think of painting with layers. The first coat takes the nearest of thirty-two colours; the second corrects the "
            "first with another palette, finer, and the third corrects the second. The numbers of the three paints are all "
            "that we keep of an advertisement's creative, and creatives with like numbers are treated alike."
        ),
        (
            "For game recommendation we replace the opaque identifier by successive prototypes. The nearest prototype of "
            "the first set stands for the genre, nobody told it so; subtracting it and searching the second set yields a "
            "finer label. Player vectors are compared with the total of the labels' learned vectors."
        ),
        (
            "The bank's merchants follow a long tail. Every merchant's profile is compressed into a chain of indices by "
            "repeatedly snapping the remaining error to the closest centroid, and the model learns one weight vector for an "
            "index at each place in the chain, not one for a merchant. Corner shops profit from chains with the same "
            "beginning."
        ),
        (
            "Points of interest are hashed, but not at random: collisions are wanted where places resemble each other. A "
            "stack of learned vocabularies is applied to the description vector, each to the quantity that the former left "
            "over, and the resulting symbols address the shared parameters."
        ),
        (
            "The catalogue's encoder emits a vector, a cascade of nearest-centroid searches makes integers of it, and the "
            "straight-through trick lets reconstruction errors train the encoder across these searches. Downstream, "
            "integers are all that the retrieval model sees of a garment, each with an embedding of its own per position."
        ),
        (
            "Two levels of freedom are traded off here. A vector per video overfits the tail; a vector per category "
            "underfits the head. Tuples over a few alphabets, obtained by greedy stagewise approximation of the frame "
            "features, lie between: videos share letters to the extent that they look alike."
        ),
        (
            "Cold-start in our marketplace was cured by taking the listing number away from the scorer. It gets a composite "
            "key instead, learned without supervision from photos and text so that neighbouring listings differ late in the "
            "key, and adds up the parameters stored for the parts of the key."
        ),
        (
            "Offline: encode, find the closest centre, keep the difference, repeat three times, write down the centres' "
            "numbers. Online: fetch one vector for each number, add them, take the dot product with the shopper. Nothing in "
            "the serving table belongs to one product alone."
        ),
    ),
    arguments=(
        LEVELS,
        CODES,
    ),
    example="layer = CodedItemScores(schema, 8, flat.shape[1])\nlayer.meet(collection)\noutput = layer(flat)",
)


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
        return self.each_word(trie, items).sum(-2)

    def each_word(self, trie: CodeTrie, items: Tensor) -> Tensor:
        """The vectors (..., T, D) before they are summed."""
        rows = (trie.words[items] + self.offsets).masked_fill(items.unsqueeze(-1) < FIRST_ID, self.no_item)  # (..., T)
        vectors: Tensor = self.table(rows)
        return vectors


class CodedScores(nn.Module):
    """(query (B, K)) -> (B, I): the query, mapped linearly, times every item's sum of its code words' vectors, plus such a sum of
    biases. It must `meet` the collection, which gives items the `tokeniser`'s words."""

    def __init__(self, tokeniser: ItemTokeniser, embedding_dim: int, in_dim: int) -> None:
        super().__init__()
        self.tokeniser = tokeniser
        self.query = nn.Linear(in_dim, embedding_dim)
        self.items = CodedItems(self.tokeniser.trie, embedding_dim + 1)  # the last column is the bias

    def meet(self, collection: Collection) -> None:
        self.tokeniser.meet(collection)

    def forward(self, query: Tensor) -> Tensor:
        every = self.summed(torch.arange(self.tokeniser.trie.n_items, device=query.device))  # (I, D + 1)
        scores: Tensor = torch.addmm(every[:, -1], self.query(query), every[:, :-1].T)  # (B, I)
        return scores

    def vectors_of(self, items: Tensor) -> Tensor:
        """The vectors (..., D) that score items (...), for histories to share."""
        return self.summed(items)[..., :-1]

    def summed(self, items: Tensor) -> Tensor:
        """The sums (..., D + 1) of the vectors and biases of the words of items (...)."""
        vectors: Tensor = self.items(self.tokeniser.trie, items)
        return vectors


class CodedItemScores(CodedScores):
    """`CodedScores` by the words of residual quantisation."""

    def __init__(self, schema: Schema, embedding_dim: int, in_dim: int, levels: int = 3, codes: int = 32) -> None:
        super().__init__(ItemTokeniser(schema, levels, codes), embedding_dim, in_dim)
