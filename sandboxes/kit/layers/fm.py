"""Factorization machine: the sum of all pairwise inner products. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from sandboxes.kit.card import Card

CARD = Card(
    name="fm",
    block="FactorizationMachine",
    slot="interaction",
    needs=("several_fields",),
    placement="logit",
    summary="Sums the inner products of the embeddings of all pairs of fields into one second-order score.",
    equation="y = sum_{i<j} <v_i, v_j> = 1/2 sum_d [(sum_i v_id)^2 - sum_i v_id^2]  (Rendle, ICDM 2010, eq. 1 and lemma 3.1)",
    cues=(
        "factorization machine",
        "factorisation machine",
        "fm component",
        "fm layer",
        "fm part",
        "second-order feature interactions",
        "order-2 feature interactions",
        "pairwise feature interactions as inner product",
        "inner product of feature latent vectors",
        "inner product of latent vectors",
        "inner product of respective feature latent vectors",
        "pairwise interactions via dot product of embeddings",
        "factorized parameters",
        "latent vector of feature",
        "inner product units",
        "sum of pairwise inner products",
        "square of sum minus sum of squares",
        "degree-2 interactions",
    ),
    descriptions=(
        "Every pair of features interacts through the dot product of their latent vectors, and all of these are added up.",
        "Low-order feature interactions are modelled by the inner product of the embedding vectors of the two features.",
        "The second-order part factorises the interaction weight of two features into the product of two low-rank vectors.",
        "Interactions between features that rarely occur together can still be estimated, as each has its own latent vector.",
        "The component captures pairwise interactions in linear time by reformulating the sum over pairs.",
        "It shares the feature embeddings with the deep part and outputs a sum of inner products.",
        "An addition unit reflects order-1 features and inner product units represent order-2 feature interactions.",
        (
            "Pairwise interactions are modelled by the inner product of the latent vectors of the two features. The inner "
            "products of all pairs are summed into a single second-order term of the logit, computed in linear time by the "
            "square-of-sum minus sum-of-squares identity."
        ),
        (
            "Instead of an independent weight for each feature cross, we factorise the weights: the strength of an interaction "
            "is the dot product of two k-dimensional embeddings, which allows estimation under sparsity. All interactions are "
            "added up with equal importance."
        ),
        (
            "The second-order component sums the products of every two active features, each weighed by the inner product of "
            "their low-rank vectors, and adds the resulting scalar directly to the prediction without any hidden layer."
        ),
        (
            "For each pair of fields we take the dot product of their embeddings; the sum over all pairs is a scalar which, "
            "together with the first-order part, forms the output. No deep network processes the interactions."
        ),
        (
            "How well do two attribute values go together? We multiply their codes coordinate by coordinate and add up. Doing "
            "so for every two attributes of the row and totalling all the answers gives one number, which is put straight into "
            "the log-odds."
        ),
        (
            "A guest-hotel combination may never have occurred in the log, so no weight of its own could be learned. Each value "
            "therefore has a point in a small space, and the weight of any combination is the agreement of the two points. All "
            "agreements count alike and are simply added."
        ),
        (
            "We add the codes of all columns and square the result per coordinate; from it we subtract the squared codes "
            "themselves; half the total over the coordinates is the score. This equals the sum of all pairwise agreements at a "
            "cost linear in the number of columns."
        ),
        (
            "The quadratic part of our polynomial regression on song, artist, listener and hour has its coefficient matrix "
            "constrained to low rank, V times V transposed. Its value, a lone scalar, joins the bias and the main effects in "
            "the final sum."
        ),
        (
            "Every two slots in the ad request shake hands: the handshake's warmth is the similarity of their latent factors, "
            "unscaled and unweighted. The warmths of all handshakes are summed to a scalar that needs no further layers before "
            "the sigmoid."
        ),
        (
            "To express that merchant and hour matter jointly, we let the model score joint occurrences by matching coordinates "
            "multiplied and added. The grand total over all couples of properties is itself the output of this part; the "
            "individual couples' values are not passed to a network."
        ),
        (
            "The response is explained by interactions of degree two with shared parameters: the same vector of a value serves "
            "in all its couples. What comes out is one figure, the plain sum of the couples' scalar products, with no "
            "field-dependent factor in front."
        ),
        (
            "Games, players and devices are given positions. If two positions point the same way, the presence of both raises "
            "the install odds; if they oppose, it lowers them. We sum these tendencies over all twosomes in the row, giving "
            "each twosome the same say."
        ),
        (
            "Crosses seen rarely or never still receive sensible weights, as each weight is composed from two vectors learned "
            "from many other crosses. The whole of the second-degree contribution is reduced at once to a scalar and is added "
            "to the linear terms."
        ),
        (
            "This part of the news ranker has neither hidden units nor learned importance of the couples: reader with topic, "
            "topic with hour, reader with hour and so forth are each rated by the scalar product of their codes, and the "
            "ratings' sum is the log-odds contribution."
        ),
        (
            "Each value owns a short list of latent factors. For any two values in a row we multiply their lists coordinate by "
            "coordinate and add up, giving the strength with which the two act together, and all these strengths, each counted "
            "equally, are totalled into one number that goes straight to the score."
        ),
        (
            "A coefficient for every couple of categories could never be estimated, as most couples occur once or never. We "
            "factorise the coefficients instead: the effect of user with ad is the agreement between a user point and an ad "
            "point. The agreements over all couples are summed into a scalar, with no network after it."
        ),
        (
            "Trick: add all field vectors and square the total in each coordinate; square every vector first and add those; "
            "take half the difference and sum it over coordinates. This equals the total agreement of all distinct couples at a "
            "cost linear in their number, and that one figure is our second-order contribution to the log-odds."
        ),
        (
            "Picture guests at a party, each with an arrow; the warmth between two guests is large when their arrows point the "
            "same way. The evening's success is the plain total of warmth over all couples, no couple being favoured by an "
            "extra coefficient, and we put this total directly into the forecast."
        ),
        (
            "Song, listener and hour are each placed in one common low-dimensional space. Their joint effect is modelled by how "
            "closely every two of them align there, alignments being simply added; the same point is used whichever partner it "
            "meets. Nothing nonlinear follows but the final sigmoid."
        ),
        (
            "Score gains the sum over i less than j of v_i matched with v_j, where v_i is the latent list of the value present "
            "in column i. One unweighted scalar per row results; neither a vector of pair products nor an importance for pairs "
            "is kept."
        ),
        (
            "We want co-occurrence effects that carry over to unseen combinations. Since a hotel's factors are fitted from all "
            "its meetings with cities, devices and dates, its affinity for a new date can be read off as a product of factors "
            "summed across dimensions; the row's rating adds up such affinities over all twosomes with equal say."
        ),
        (
            "The quadratic term of a regression on the sparse row is given a weight matrix of low rank. In effect, every two "
            "active attributes contribute the overlap of their codes, and contributions are piled up into the final logit as "
            "they stand: no hidden layer, no gate, no pair-specific multiplier."
        ),
    ),
    example="layer = FactorizationMachine(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class FactorizationMachine(nn.Module):
    """(B, F, D) -> (B, 1), in O(F D) by the square of the sum; it has no parameters beyond the embeddings."""

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        self.out_dim = 1

    def forward(self, fields: Tensor) -> Tensor:
        scores: Tensor = _PairwiseSum.apply(fields)  # type: ignore[no-untyped-call]
        return scores


class _PairwiseSum(torch.autograd.Function):
    """With the gradient written down, dy/dv_i = sum_{j != i} v_j: the square of each embedding need not be kept or derived."""

    @staticmethod
    def forward(fields: Tensor) -> Tensor:
        total = fields.sum(1)  # (B, D)
        flat = fields.flatten(1)
        twice: Tensor = torch.linalg.vecdot(total, total) - torch.linalg.vecdot(flat, flat)  # (B,)
        return 0.5 * twice.unsqueeze(1)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        fields: Tensor = ctx.saved_tensors[0]
        scale = gradient.unsqueeze(2)  # (B, 1, 1)
        return torch.addcmul(scale * fields.sum(1, keepdim=True), scale, fields, value=-1)  # (B, F, D), in one pass
