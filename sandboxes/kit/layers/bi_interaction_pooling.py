"""Bi-interaction pooling: all pairwise element-wise products, summed to one vector.

Notation: B rows, F fields, D embedding width.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.card import Card

CARD = Card(
    name="bi_interaction_pooling",
    block="BiInteractionPooling",
    slot="interaction",
    needs=("several_fields",),
    placement="input",
    summary="Pools the element-wise products of all pairs of embeddings into one vector, which a deep network then transforms.",
    equation="f = sum_{i<j} v_i * v_j (element-wise) = 1/2 [(sum_i v_i)^2 - sum_i v_i^2]  (He and Chua, SIGIR 2017, eq. 3 and 4)",
    cues=(
        "bi-interaction",
        "bi-interaction pooling",
        "bi-interaction layer",
        "bilinear interaction pooling",
        "interaction pooling",
        "pooling of pairwise element-wise products",
        "sum of element-wise products of embedding pairs",
        "element-wise product of two embedding vectors summed",
        "hidden layers above the second-order interactions",
        "non-linear layers on top of pairwise interactions",
        "converts a set of embedding vectors to one vector",
    ),
    descriptions=(
        "A pooling operation turns the set of embedding vectors into one vector that encodes the interactions of all pairs.",
        "The element-wise products of every pair of embeddings are summed, and a stack of hidden layers is placed on top.",
        "Instead of summing to a scalar, the second-order interactions are kept as a vector and fed to fully connected layers.",
        "The neural network learns higher-order interactions above the pooled second-order interactions.",
        "The pooled vector can be computed in linear time from the square of the sum and the sum of the squares.",
        (
            "We sum the element-wise products of all pairs of embeddings into a single k-dimensional vector, computed in linear "
            "time, and feed this vector to a multi-layer perceptron which learns higher-order nonlinear interactions on top of "
            "the second-order ones."
        ),
        (
            "Concatenating embeddings carries little information about interactions at the low level. Our pooling layer "
            "converts the set of embeddings into one vector that encodes the pairwise interactions, upon which fully connected "
            "layers are stacked."
        ),
        (
            "The pairwise interactions are kept as a vector, not collapsed into a scalar: half the difference of the squared "
            "sum and the sum of squares, taken per dimension, becomes the input of the hidden layers."
        ),
        (
            "Hadamard products of every two feature vectors are added together without weights, and the pooled vector, of the "
            "same size as one embedding, passes through dropout, batch normalisation and ReLU layers before the prediction."
        ),
        (
            "The codes of all columns are multiplied two by two, coordinate by coordinate, and everything is added up into one "
            "code of the original length. A dense tower then reads this one code instead of the long string of all codes."
        ),
        (
            "We place a condensing step between lookup and tower. It takes any number of attribute vectors and returns a single "
            "one: square of the total minus total of the squares, per coordinate, halved. From then on an ordinary feed-forward "
            "net is in charge, and one layer suffices."
        ),
        (
            "If the coordinates of the condensed vector were simply added, we would have the familiar factorised quadratic "
            "score. We do not add them but hand them separately to hidden layers, so that second-degree effects between guest, "
            "hotel and date can be combined nonlinearly."
        ),
        (
            "The tower's input is as short as one latent vector, sixty-four numbers say, no matter how many slots the ad "
            "request has, because all two-slot products are superposed, each with weight one, before entering the tower. This "
            "makes the tower small and fast."
        ),
        (
            "For every two properties of the track and listener, matching dimensions are multiplied. The product vectors of all "
            "twosomes are heaped on one another, and the heap is transformed by several nonlinear layers into the chance of a "
            "full play."
        ),
        (
            "Rather than listing the agreement of each couple as a separate input, our model superposes the couples: dimension "
            "d of the input is the sum over couples of dimension-d products. The subsequent layers see only this total, and "
            "uncover third- and higher-degree effects in it."
        ),
        (
            "A deep net fed with mere lookup vectors must discover multiplication by itself and is hard to train. We do the "
            "multiplication for it, two attributes at a time and per dimension, merge all outcomes by plain addition, and let "
            "the net work on the merged result."
        ),
        (
            "Second-degree structure first, depth afterwards: the player's and game's points are combined in all twosomes "
            "through coordinate products, the twosomes are pooled by addition into one point of the same space, and stacked "
            "nonlinear layers bend this point into the install score."
        ),
        (
            "The merging has no parameters of its own and costs only one pass over the columns. It yields, for each latent "
            "dimension, the total of all two-column products in that dimension, and the vector of these totals is what the "
            "hidden layers receive."
        ),
        (
            "In our risk model no learned importance is placed on couples of properties; they are all multiplied entry by entry "
            "and summed to a vector. What matters is what follows: several dense nonlinear layers, which turn this compact "
            "summary of joint effects into a probability."
        ),
        (
            "Codes are multiplied coordinate by coordinate for each couple of columns, and all the resulting vectors are added "
            "without any weights. What comes out is one vector as long as a single code, and hidden layers above it learn the "
            "higher-order effects."
        ),
        (
            "Rather than add up the products to a single number, we stop one step earlier and keep the coordinates apart: the k "
            "totals, one for each latent dimension over all twosomes, form a short vector. This vector is what the stacked "
            "nonlinear layers get, so they start from information about pairs, not from raw codes."
        ),
        (
            "Sum the vectors present and square every coordinate; subtract the sum of squared vectors; halve. The vector so "
            "obtained holds all two-way products, merged, at linear cost and with no parameters of its own; feed it to a "
            "perceptron to obtain the score."
        ),
        (
            "A perceptron over chained codes must discover multiplication by itself, which is difficult. We insert a layer that "
            "does the multiplying beforehand: each two attributes are fused entry by entry, the fusions are piled on one "
            "another into a vector of the original small width, and only this pile goes up to the dense layers."
        ),
        (
            "Imagine each attribute as a stained-glass pane; overlaying two panes multiplies their colours spot by spot. We "
            "overlay every two panes, add the light from all overlays into one picture with equal exposure, and let a deep "
            "network look at that picture."
        ),
        (
            "The vector g equals the sum over i less than j of v_i elementwise v_j, a k-dimensional result; score equals a "
            "multilayer net "
            "of g. The single pooled g, in contrast to a list with an entry per couple, keeps the network's input small however "
            "many columns there are."
        ),
        (
            "User, song and context representations interact in a parameter-free compression step before the hidden layers. It "
            "computes, per latent dimension, the total of products over all duos; the dimension-wise totals are then "
            "normalised, thinned out by dropout and transformed nonlinearly by rectified layers up to the predicted response."
        ),
        (
            "All second-order evidence of a booking row is folded into a compact vector, equal in size to one property's code, "
            "by entrywise multiplying of duos and unweighted accumulation. Above it come fully linked layers whose task is to "
            "model what is left, so one or two of them suffice where others need many."
        ),
    ),
    example="layer = BiInteractionPooling(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class BiInteractionPooling(nn.Module):
    """(B, F, D) -> (B, D)."""

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        self.out_dim = embedding_dim

    def forward(self, fields: Tensor) -> Tensor:
        return 0.5 * (fields.sum(1).square() - fields.square().sum(1))  # (B, D)
