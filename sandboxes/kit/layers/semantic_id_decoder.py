"""Generates the next item: code word after code word, each given the query and the words before.

Notation: B rows, M memory tokens, K their width, D embedding width, I ids of the target item.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.code_decoder import CodeDecoder, Prefixes
from sandboxes.kit.layers.item_tokeniser import CODES, LEVELS, ItemTokeniser
from sandboxes.kit.layers.trie_search import all_log_probs, beam_log_probs, path_log_probs
from sandboxes.kit.schema import FIRST_ID, Schema

CARD = Card(
    name="semantic_id_decoder",
    block="SemanticIdDecoder",
    slot="item_scores",
    needs=("items",),
    summary="Generates the code words of the next item one after the other by a transformer decoder, and scores an item by the "
    "probability of its words.",
    equation="log p(i | q) = sum_l log softmax(h_l E_l^T)[c_l(i)] over words that lead to an item, h_l from c_<l and q by "
    "attention (Rajput et al., NeurIPS 2023, section 3.2; decoder of Vaswani et al., NeurIPS 2017, section 3.1)",
    cues=(
        "generative retrieval",
        "generative recommendation",
        "generative recommender",
        "generates semantic ids",
        "autoregressively decodes",
        "decoded autoregressively",
        "autoregressive decoding",
        "beam search",
        "constrained beam search",
        "constrained decoding",
        "tokens of the next item",
        "token by token",
        "item tokenization",
        "sequence-to-sequence recommendation",
        "tuple of tokens",
        "valid identifiers",
    ),
    descriptions=(
        (
            "The model generates the codes of the next item one after the other, each conditioned on the history and the "
            "codes so far."
        ),
        "Retrieval becomes generation: a decoder writes the item's discrete identifier symbol by symbol.",
        "A beam over the symbols returns the most probable items, and symbols that lead to no existing item are masked.",
        "The score of an item is the product of the probabilities of its code words given those before.",
        "There is no index of item vectors; the decoder itself knows the catalogue and spells out its answer.",
        "An encoder reads what the user did, and an autoregressive decoder emits the identifier of what comes next.",
        (
            "We cast next-item prediction as a sequence-to-sequence task. The encoder consumes the user's past "
            "interactions, the decoder predicts the tuple of discrete tokens of the target item autoregressively, and "
            "training minimises the cross-entropy of each token under teacher forcing."
        ),
        (
            "At inference we decode with beam search over the hierarchy of item tokens. A prefix tree built from all item "
            "identifiers restricts each step to tokens that continue to a valid item, so that no generated tuple is "
            "invalid."
        ),
        (
            "The likelihood of an item factorises over its token tuple, p(c_1, ..., c_m | history) = prod_l p(c_l | c_<l, "
            "history), where each factor is a softmax over the vocabulary of that position computed by a transformer "
            "decoder that cross-attends to the encoded history."
        ),
        (
            "Instead of matching a user vector against all item embeddings with an approximate nearest neighbour index, the "
            "transformer's parameters serve as the index end to end: candidates are decoded directly as short token "
            "sequences, from coarse to fine."
        ),
        (
            "The jukebox does not compare the listener with a million songs. It answers three small multiple-choice "
            "questions in turn, which shelf, which crate, which record, every answer being taken into account by the next, "
            "and keeps the few most promising chains of answers open at once."
        ),
        (
            "Our news system writes its recommendation. Given the stories read so far it says the first symbol of a "
            "headline's key, then the second in view of the first, and so on until the key is complete; keys that name no "
            "story cannot be said, because at every step only continuations found in the tree of keys are allowed."
        ),
        (
            "For an app store the softmax over millions of packages is replaced by a walk down a tree. At each node a "
            "network that sees the install log and the path taken chooses among a few dozen branches; the log-probability "
            "of an app is what the choices along its path add up to."
        ),
        (
            "In symbols, log p(i | x) equals the sum over l of log softmax(W_l h_l)[c_l(i)], restricted to continuations "
            "that exist, with h_l from causal attention over c_1..c_{l-1} and attention to x. We expand the B best partial "
            "tuples per level and output the completed ones in order."
        ),
        (
            "A traveller's earlier stays are handed to a language-model-like network whose vocabulary is not words but "
            "place codes. It completes the sentence by uttering the code of the next destination, syllable by syllable, and "
            "alternative utterances with high likelihood fill the remaining positions of the list."
        ),
        (
            "The checkout assistant predicts the digits of the product key, most significant digit first. Getting the first "
            "digit right means getting the department right; later digits narrow it down. Several hypotheses are carried "
            "along in parallel, the weakest being dropped after every digit."
        ),
        (
            "Advertisers upload creatives by the hour, so an embedding per creative never converges. We let a causal "
            "network spell the creative's address from the viewer's state; since addresses share their beginnings, what is "
            "learned for the beginning carries over to a creative that nobody has seen."
        ),
        (
            "Banking offers are few per customer but many in total. The customer's transactions are encoded once. A small "
            "recurrent generator with attention to them then produces the offer's tuple of labels from left to right, and "
            "an exhaustive evaluation of the label tree yields exact probabilities for all offers, which sum to one."
        ),
        (
            "The player's log goes in on the left, and the name of the next game comes out on the right, in an alphabet "
            "that was learned so that kindred games have kindred names. Each letter is drawn from a distribution that "
            "depends on the letters already written."
        ),
        (
            "Imagine directing a taxi by saying district, then street, then number, where each word is chosen with the "
            "passenger's diary in hand and the former words in mind. Wrong districts are never followed to a street. That "
            "is how candidate places are found here, with no distance computation to any of them."
        ),
        (
            "We abandon the dot product. User context and the partially written answer interact in every layer of the "
            "decoder, so the choice of the fine label can depend on context in another way than that of the coarse label; a "
            "two-sided factorisation can not express this."
        ),
        (
            "Serving cost is a fixed number of decoding steps times the number of hypotheses kept, whatever the size of the "
            "catalogue. At each step the scores of hypotheses and extensions are added, the top ones survive, and completed "
            "tuples are mapped back to listings by a lookup."
        ),
        (
            "The training target is no longer a row number but a little sentence that denotes the film. The network is "
            "shown the true beginning of the sentence and asked for its continuation, at all positions, with the viewing "
            "record as the source text, much as in machine translation."
        ),
        (
            "Ranking candidates needs them first; we make them up. A sampler conditioned on the basket proposes tuples of "
            "symbols left to right, a lookup of legal continuations vetoes impossible ones, and whatever survives to full "
            "length is a product with its probability attached."
        ),
    ),
    arguments=(
        LEVELS,
        CODES,
        Argument("n_layers", 1, ("decoder layers", "number of decoder layers", "layers of the decoder"), low=1, high=24),
        Argument("n_heads", 2, ("decoder heads", "attention heads of the decoder", "heads of the decoder"), low=1, high=64),
    ),
    example="layer = SemanticIdDecoder(schema, 8, flat.shape[1])\nlayer.meet(collection)\noutput = layer(flat)",
)

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
