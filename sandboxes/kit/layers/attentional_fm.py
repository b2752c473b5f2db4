"""Factorization machine with attention over pairs. Notation: B rows, F fields, D embedding width, P pairs, A attention width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.pairs import field_pairs

CARD = Card(
    name="attentional_fm",
    block="AttentionalFM",
    slot="interaction",
    needs=("several_fields",),
    placement="logit",
    summary="Sums the element-wise products of all pairs of embeddings, each weighed by an attention network, into one score.",
    equation="a_ij = softmax_ij h^T relu(W (v_i * v_j) + b); y = p^T sum_{i<j} a_ij (v_i * v_j)  (Xiao et al., "
    "IJCAI 2017, section 3)",
    cues=(
        "attentional factorization machine",
        "attention-based pooling",
        "attention-based pooling layer",
        "attention over feature interactions",
        "attention network to learn the importance of each feature interaction",
        "importance of each feature interaction",
        "discriminating the importance of feature interactions",
        "attention score of the feature interaction",
        "attention weights on pairwise interactions",
        "pair-wise interaction layer",
        "weighted sum of interacted vectors",
        "attentive pooling of pairwise interactions",
    ),
    descriptions=(
        "An attention network gives each pairwise interaction a weight before the interacted vectors are summed.",
        "Not all feature interactions are equally useful, so attention discriminates which pairs matter for the prediction.",
        "The element-wise products of pairs of embeddings are pooled by attention and projected to the prediction score.",
        "A one-layer perceptron on the interacted vector estimates its attention score, which is normalised by a softmax.",
        "Useless interactions get a small weight, since they would otherwise add noise to a factorization machine.",
        (
            "The embeddings of each two features are multiplied element-wise, and an MLP with a softmax output assigns an "
            "importance to each interaction. The interaction vectors are summed with these weights and projected to the "
            "second-order score."
        ),
        (
            "Since not all feature interactions are equally useful, we learn the weight of each pairwise product with a small "
            "network parameterised on the product vector itself, so that the weights depend on the sample and generalise to "
            "unseen pairs."
        ),
        (
            "Pairwise interaction vectors are pooled by a weighted sum, where the weights are softmax-normalised outputs of a "
            "one-hidden-layer network applied to each interaction. A linear projection of the pooled vector gives the logit, "
            "with no further hidden layers."
        ),
        (
            "We replace the uniform sum of factorised interactions by a data-dependent one: every Hadamard product of two "
            "embeddings gets a score from a ReLU layer, the scores are normalised over all pairs in the instance, and the "
            "re-weighted products are reduced to a scalar."
        ),
        (
            "For each couple of attributes in the row we form a vector by multiplying their codes coordinate by coordinate. A "
            "small judge reads every such vector and says how much it matters here; the vectors are averaged by these "
            "judgements, and a trained direction turns the average into the score."
        ),
        (
            "Couples of columns compete for influence. In one booking the guest-city couple may win, in another the "
            "season-price couple; who wins is decided row by row from the couples' own product vectors through a little scoring "
            "net, with shares adding to one."
        ),
        (
            "The importance of a joint effect is not a fixed number stored for the two slots but is computed afresh: take the "
            "slots' coordinate-wise product, apply a dense layer with rectifier, read off a figure, exponentiate and normalise "
            "among all joint effects of the ad request."
        ),
        (
            "We want the ranker to ignore useless combinations such as weekday with device colour. A gatekeeping subnet grades "
            "each combination's multiplied latent factors, and the grades, after normalisation, act as mixing proportions in "
            "the sum from which the log-odds are read linearly."
        ),
        (
            "Each twosome of properties gives a vector of products. Giving all twosomes equal votes adds noise, so votes are "
            "handed out by a trained scorer that looks at the vector in question; the vote-weighted total is multiplied by a "
            "parameter vector and becomes the second-degree term."
        ),
        (
            "The model explains its answers: for each song suggested we can list which combinations, artist with listener, "
            "genre with hour, received the greatest share. Shares come from a shallow net over the matched-and-multiplied codes "
            "and govern how these are added up to one prediction value."
        ),
        (
            "A transaction with ten properties has forty-five joint effects. They are expressed as products taken per "
            "dimension, ranked softly by a compact net that sees one of them at a time, mixed according to rank, and condensed "
            "by a weight vector into a risk contribution."
        ),
        (
            "Unlike a sum in which each interaction enters with factor one, ours has factors that vary with the row. They are "
            "the softmax of h·relu(W(v_i⊙v_j)+b) over all i<j, and the mixture of the v_i⊙v_j under these factors is mapped "
            "linearly to a number."
        ),
        (
            "How strongly two facts about player and game reinforce each other should depend on the facts. We therefore judge "
            "each element-by-element product of their points with a learned relevance function and let only relevant ones "
            "dominate the blended product, from which the install score is drawn directly."
        ),
        (
            "Second-degree effects are kept as vectors until they have been weighed. The weighing is by a one-layer perceptron "
            "common to all couples, its outputs turned into a distribution over the couples; the expected couple vector under "
            "this distribution, projected, is what we add to the main effects."
        ),
        (
            "For every couple of values in a grocery impression we retain the coordinate-wise product as a vector. A one-layer "
            "judge looks at each product vector on its own and issues a mark, and the marks are exponentiated and normalised "
            "over all couples. The product vectors, mixed by these marks, are finally reduced to one number by a trained "
            "direction, and this number is the prediction. Useless couples such as weekday with parcel colour fade away by "
            "themselves."
        ),
        (
            "All couples of looked-up vectors are multiplied coordinate by coordinate. A judge with one layer in between "
            "inspects every one of the resulting vectors and gives it a mark; the marks are made positive and forced to total "
            "one over the couples. The marked vectors are then added together, and the scalar product of this blend with a "
            "trained vector is taken as the prediction for the borrowed book."
        ),
        (
            "Two codes are multiplied coordinate by coordinate, giving a vector for each couple of values. A small "
            "one-hidden-layer net reads this vector and says how important the couple is, the importances are normalised over "
            "all couples, and the weighted total of vectors is projected to a single number added to the score."
        ),
        (
            "Not every combination in a row deserves a voice. We let the combination itself argue: its coordinate-wise product "
            "goes through a little scorer, a softmax across all combinations shares out the influence, and the mixture is "
            "reduced by a trained direction to the final contribution. The shares thus vary from row to row."
        ),
        (
            "Steps: form all pairwise Hadamard vectors; apply a matrix, an offset and a rectifier to each, then a vector to get "
            "a grade; exponentiate and divide by the total over pairs; add the Hadamard vectors by grade; take a weighted sum "
            "of coordinates. No deep tower comes after it."
        ),
        (
            "As a jury may listen to some witnesses more than to others, the predictor listens to twosomes of attributes "
            "unequally. What a twosome says is its two latent lists multiplied entry by entry; how credible it is gets decided "
            "by a trained judge looking at that very product; the verdict is one scalar."
        ),
        (
            "The usual sum over couplings treats genre-with-hour just like device-with-language. Instead of a fixed multiplier "
            "for the column types, we compute the multiplier from the present values, by a compact perceptron over their "
            "entrywise product, with all multipliers in a row totalling one. Their combination is mapped linearly to the "
            "log-odds."
        ),
        (
            "The score f equals p transposed times the sum over couples of a_ij times v_i elementwise v_j, with a the "
            "softmax of h "
            "transposed times the rectified W of that same elementwise product plus b. Attention runs over couples, not over "
            "columns and not over past events."
        ),
        (
            "We wished to tell an analyst which two facts about the customer drove the forecast. Each two facts are fused by "
            "multiplying their representations in place; a learned relevance, depending on the fused vector and competing with "
            "those of all other fusions, scales it; the scaled fusions are added and collapsed to the response score."
        ),
        (
            "Here interactions are kept as vectors until their worth is known. For hotel and date, hotel and traveller, and so "
            "on, products per dimension are taken, an auxiliary unit allots each of them a fraction of a fixed budget, and the "
            "budget-weighted sum is turned by one linear read-out into the second-order prediction."
        ),
    ),
    arguments=(
        Argument(
            "attention_dim", 16, ("attention factor", "attention size", "hidden size of the attention network"), low=1, high=512
        ),
    ),
    example="layer = AttentionalFM(fields.shape[1], fields.shape[2], attention_dim=4)\noutput = layer(fields)",
)


class AttentionalFM(nn.Module):
    """(B, F, D) -> (B, 1)."""

    first: Tensor
    second: Tensor

    def __init__(self, n_fields: int, embedding_dim: int, attention_dim: int = 16) -> None:
        super().__init__()
        first, second = field_pairs(n_fields)
        self.register_buffer("first", first, persistent=False)  # (P,)
        self.register_buffer("second", second, persistent=False)  # (P,)
        self.attention = nn.Linear(embedding_dim, attention_dim)
        self.score = nn.Linear(attention_dim, 1, bias=False)
        self.project = nn.Linear(embedding_dim, 1, bias=False)
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        products = fields[:, self.first] * fields[:, self.second]  # (B, P, D)
        shares = torch.softmax(self.score(torch.relu(self.attention(products))), 1)  # (B, P, 1)
        score: Tensor = self.project((shares * products).sum(1))  # (B, 1)
        return score
