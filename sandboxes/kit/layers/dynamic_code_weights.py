"""Items as weighted sums of their code words' vectors: a router gives each word its weight, by who took the item and how often.

Notation: B rows, K width of a query, I ids of the target item, T words of an item, D width, H behaviour width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.coded_items import CodedScores
from sandboxes.kit.layers.item_content import PART, taken_together
from sandboxes.kit.layers.item_tokeniser import CODES, LEVELS, ItemTokeniser
from sandboxes.kit.schema import FIRST_ID, Schema

HIDDEN = 16  # units of the router

CARD = Card(
    name="dynamic_code_weights",
    block="DynamicCodeWeights",
    slot="item_scores",
    needs=("items",),
    summary="Weighs each code word of an item by a router that sees the item's popularity and who took it, before the words' "
    "vectors are summed and scored.",
    equation="s(q, i) = <W q, sum_l w_l(i) e_{l c_l(i)}>, w(i) = relu(1 + MLP(behaviour of i)), L = L_rec + lambda mean w (sum "
    "of words of Singh et al., RecSys 2024, section 4; relu as a sparse router and its L1 penalty: Wang et al., ICLR 2025, "
    "section 3)",
    cues=(
        "dynamic behavioral router",
        "dynamic behavioural router",
        "behavioral router",
        "dynamic router over codes",
        "weights of semantic ids",
        "weighted semantic ids",
        "weights to semantic ids",
        "importance of each semantic id",
        "importance of each code",
        "weighted sum of code embeddings",
        "code-level weights",
        "reweights the codes",
        "adaptive weights for codes",
        "equal weighting of semantic ids",
        "equal-weighting scheme",
    ),
    descriptions=(
        "A router assigns a weight to each semantic id of an item according to the item's behaviour signals.",
        "Code embeddings are summed with learned weights that differ from item to item.",
        "Uninformative codes are suppressed and important ones amplified before pooling.",
        "The router's rectified outputs leave some codes without any weight.",
        "Popularity and collaborative vectors decide which levels of the code matter.",
        "An item's codes do not count alike.",
        (
            "Summing the embeddings of all semantic ids with equal weights obscures which of them carry signal. A dynamic router "
            "takes the behavioural representation of the item and outputs a sparse weight for every code, by which its "
            "embedding is multiplied."
        ),
        (
            "For popular items behaviour codes are reliable, for long-tail items content codes are. We let a gating network "
            "conditioned on interaction statistics weigh the code embeddings accordingly."
        ),
        (
            "The weights are obtained by a multilayer perceptron with ReLU outputs over the collaborative embedding, together "
            "with a sparsity regulariser, and scale the discrete tokens' embeddings in the downstream model."
        ),
        (
            "Instead of a plain sum over quantisation levels, the item representation is a weighted sum whose coefficients are "
            "item-specific functions of popularity."
        ),
        (
            "The country line of an address matters for a letter from abroad, the street line for one from next door. Which "
            "line of a song's code to heed is told by its listeners: many and alike, or few and mixed."
        ),
        (
            "Each symbol of an article has a volume knob. The knobs are turned by a little network that reads nothing but the "
            "article's record of reads, and may be turned down to silence."
        ),
        (
            "Let g be the vector of normalised log count and readership factors. Multiply row c_l of table l by the l-th "
            "output of max(0, 1 + f(g)) and add up. With f = 0 it is the ordinary sum of rows; a charge on outputs favours "
            "zeros."
        ),
        (
            "The tokens of an app are given and stay; what changes is how much each says. Apps with a million installs "
            "rely on fine tokens, apps with ten on coarse ones, and a learned switchboard finds the division by itself."
        ),
        (
            "This is no choice of codes and no learning of codebooks: discretisation is over. We learn which of the chosen "
            "indices deserve attention in a hotel's vector, given how it has been booked."
        ),
        (
            "All words of a product's name were shouted equally. Now merchandising data set the loudness of each, so that the "
            "ranker hears the telling words."
        ),
        (
            "Advertisements share table rows through their codes. A rarely shown one should lean on rows shared widely, an "
            "often shown one on rows of its own; coefficients produced from impression counts and audience vectors arrange it."
        ),
        (
            "As in a mixture of experts, where a gate weighs experts by input, a gate here weighs the entries of the tuple that "
            "identifies a bank product, with the product's transaction profile as the gate's input and rectification for "
            "sparsity."
        ),
        (
            "Weights near one at the start, non-negative always, zero where the penalty wins: they multiply the vectors of a "
            "game's symbols position by position. Two games with the same leading symbol may make quite different use of it."
        ),
        (
            "A place is found by a few symbols. Visits say how trustworthy each is, in the form of multipliers that a "
            "perceptron computes from visitor factors and frequency; visitor and place then meet in a product of vectors."
        ),
        (
            "We represent each track by several discrete indices and form its vector as a combination of the indices' table "
            "rows, where the coefficients are produced per track by a small network fed with play count and listener factors, "
            "and rectified so that some become nought."
        ),
        (
            "Our model replaces the uniform addition of quantised tokens' vectors by a gated one. The gate reads the item's "
            "consumption profile, not the query, and learns which tokens of the identifier are informative for items of that "
            "profile."
        ),
        (
            "The proposed switch decides for each position of a product's discrete identifier how loudly its vector sounds. Its "
            "inputs are sales statistics and a collaborative vector, and a lasso-like charge on its outputs keeps most "
            "positions quiet."
        ),
        (
            "Before, a head-catalogue film and a forgotten one both used every symbol of their identifiers to the same extent. "
            "Now an auxiliary network that knows their viewing record scales the symbols' vectors, so that the forgotten one "
            "relies on symbols about plot and the famous one on symbols about audience."
        ),
        (
            "Reviewer's summary: the discretisation is conventional and fixed. New is that each discrete unit's contribution to "
            "the item vector is scaled by a non-negative, item-dependent salience inferred from popularity and co-consumption, "
            "with sparsity encouraged."
        ),
        (
            "A vacancy's short name has four syllables. Who applied, and how many did, determines which syllable to stress; "
            "unstressed syllables may fall silent altogether. The stress pattern is learned, the name is not."
        ),
        (
            "Read aloud: the item's vector is the sum over l of alpha_l times the row of table l at its code; alpha is the "
            "positive part of one plus a perceptron of the item's count and interaction vector; the score is its product with "
            "the query; the average alpha is penalised."
        ),
        (
            "For rarely ordered dishes, indices derived from ingredients can be trusted and those derived from diners cannot; "
            "for often ordered ones the reverse holds. A feedback-aware multiplier per index lets the ranker shift its trust "
            "smoothly between them."
        ),
        (
            "Engineer's note: after tokenisation we look up T embeddings per ad. Instead of embs.sum(1) we now do "
            "(router(stats[ad]).relu()[..., None] * embs).sum(1), stats being normalised log impressions and audience SVD. "
            "Router is initialised to output ones."
        ),
        (
            "Think of a choir in which each singer is one code of the hotel. The conductor has the booking ledger in hand, and "
            "with a glance at it brings some singers forward and hushes others; for the next hotel, with another ledger, the "
            "same singers are balanced otherwise."
        ),
        (
            "We argue that the discrete units obtained from quantising multimodal content and behaviour are unequal in worth "
            "and that their worth depends on the item. A lightweight assessor therefore maps interaction evidence to unit-wise "
            "importances which modulate embeddings before aggregation."
        ),
        (
            "The tuple that names a course is turned into a vector by weighted pooling. Weights are neither shared by all "
            "courses nor computed by attention from the learner; they come from enrolment evidence about the course, can "
            "vanish, and tell which level of the coarse-to-fine tuple to believe."
        ),
        (
            "Mobile games: tokens are ready-made, their rows are trained. What we insert is a row-scaling step, driven by "
            "installs and by a vector of installers, by which noisy tokens get near-nought factors and telling tokens factors "
            "above one."
        ),
        (
            "Our approach treats a place's identifier as a committee of symbols with variable votes. How many votes each has is "
            "deduced from the footfall the place has had, by a trainable function with rectified output, and the place's "
            "position in embedding space is the vote-weighted total."
        ),
    ),
    arguments=(
        LEVELS,
        CODES,
        Argument(
            "sparsity",
            0.0,
            ("sparsity regularization", "weight of the sparsity loss", "sparsity coefficient", "l1 coefficient of the router"),
            low=0,
            high=1,
        ),
    ),
    example="layer = DynamicCodeWeights(schema, 8, flat.shape[1], sparsity=0.01)\nlayer.meet(collection)\noutput = layer(flat)\n"
    "penalty = layer.kl()",
)


class DynamicCodeWeights(CodedScores):
    """(query (B, K)) -> (B, I): `CodedScores` by the words of residual quantisation, each weighed. Behaviour is how often an item
    was taken, and, where the schema names users, a vector of who took it; both are of training. `kl` is the penalty on weights.

    It must `meet` the collection, which gives items their words and their behaviour.
    """

    behaviour: Tensor  # (I, H)

    def __init__(
        self, schema: Schema, embedding_dim: int, in_dim: int, levels: int = 3, codes: int = 32, sparsity: float = 0.0
    ) -> None:
        super().__init__(ItemTokeniser(schema, levels, codes), embedding_dim, in_dim)
        self.schema, self.sparsity = schema, sparsity
        width = 1 + (PART if schema.user is not None else 0)
        self.register_buffer("behaviour", torch.zeros(schema.n_items, width))
        self.router = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, levels + 1))

    def meet(self, collection: Collection) -> None:
        super().meet(collection)
        popularity = torch.log1p(collection.counts.float())  # (I,)
        known = popularity[FIRST_ID:]
        popularity = (popularity - known.mean()) / known.std(unbiased=False).clamp(min=1e-6)
        parts = [popularity.unsqueeze(1)]
        if self.schema.user is not None:
            n_users = self.schema.categorical[self.schema.index_of(self.schema.user)].cardinality
            parts.append(taken_together(collection.events, n_users, self.schema.n_items))
        self.behaviour.copy_(torch.cat(parts, 1))

    def weights(self, items: Tensor) -> Tensor:
        """Those of the words of items (...): (..., T), at least 0."""
        weights: Tensor = (1 + self.router(self.behaviour[items])).relu()
        return weights

    def summed(self, items: Tensor) -> Tensor:
        return (self.items.each_word(self.tokeniser.trie, items) * self.weights(items).unsqueeze(-1)).sum(-2)

    def kl(self) -> Tensor:
        """`sparsity` times the mean weight of all items' words, a scalar."""
        return self.sparsity * self.weights(torch.arange(FIRST_ID, len(self.behaviour), device=self.behaviour.device)).mean()
