"""Compressed interaction network: vector-wise interactions of growing order.

Notation: B rows, F fields, D embedding width, M maps of the last layer, H maps of this layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="compressed_interaction",
    block="CompressedInteraction",
    slot="interaction",
    placement="parallel",
    summary="Crosses the embeddings with the last layer's maps vector by vector, compresses the products to new "
    "maps and pools each of them.",
    equation="x^k_h = sum_i sum_j W^{k,h}_ij (x^{k-1}_i * x^0_j), element-wise; p^k_h = sum_d x^k_hd; all p^k concatenated"
    " (Lian et al., KDD 2018, eq. 6 to 8; identity activation, every map goes to the output and to the next layer)",
    cues=(
        "compressed interaction network",
        "vector-wise feature interactions",
        "vector-wise level",
        "interactions at the vector-wise level",
        "explicit high-order feature interactions in a vector-wise fashion",
        "feature maps of the compressed interaction",
        "outer product along each embedding dimension",
        "outer product followed by convolution",
        "intermediate tensor compressed to feature maps",
        "compress the intermediate tensor",
        "sum pooling on each feature map",
        "hadamard product of the previous layer and the base embedding matrix",
        "order of interactions increases with layer depth",
    ),
    descriptions=(
        "The embeddings of a layer are combined with the original field embeddings by Hadamard products at the vector level.",
        (
            "All pairwise products of maps and fields form a tensor, which learned filters compress to a fixed "
            "number of feature maps."
        ),
        (
            "Sum pooling over the embedding dimension turns each feature map into one number, and all layers "
            "contribute to the output."
        ),
        "The degree of the explicit vector-wise interactions rises by one with each layer.",
        "Interactions are learned explicitly and at the level of vectors, complementing the implicit bit-wise deep network.",
        (
            "Explicit high-order interactions are generated at the vector-wise level: the feature maps of layer k are weighted "
            "sums of Hadamard products between every feature map of layer k-1 and every original field embedding. Sum pooling "
            "over the embedding dimension of each layer gives the output."
        ),
        (
            "We multiply all rows of the hidden matrix with all rows of the input field matrix along each embedding dimension, "
            "producing an intermediate tensor, which filters slide over like in a convolution to yield new feature maps. All "
            "layers are sum pooled and concatenated into the output unit."
        ),
        (
            "The order of interaction grows by one per layer; each layer holds a set of H vectors of embedding size, obtained "
            "from pairwise element-wise products with the base embeddings and learned weights. Interactions thus treat the "
            "embedding vector, not the bit, as a unit."
        ),
        (
            "Similar to a recurrent network, each layer depends on the previous one and on the raw embedding matrix. Their "
            "pairwise vector products are condensed by learned kernels to a fixed number of rows, and the row sums of every "
            "layer are connected to the prediction."
        ),
        (
            "Take the list of vectors from the level below and the list of the attributes' own vectors. Multiply each from the "
            "first with each from the second at equal coordinates; mix the many results with learned weights down to a few "
            "vectors; add up each one's coordinates for the output."
        ),
        (
            "A vector stays whole in our crossing: coordinate three is only ever multiplied by coordinate three. What is "
            "learned is how the products of all couples, an old map with an original column, are blended into a handful of new "
            "maps on the next level."
        ),
        (
            "Imagine a cube holding, for each latent factor, the table of products of m original slots with h hidden ones. Each "
            "trained filter flattens a whole table of the cube into one number, so a filter makes one new hidden slot. Levels "
            "are piled up and totals of each slot reported."
        ),
        (
            "Third-order conjunctions of game, player and hour come on the second level and fourth-order ones on the third. On "
            "each level, products of the former level's vectors with the base vectors would multiply in number, so trained "
            "weights squeeze them to a constant count."
        ),
        (
            "From every level, not merely the last, we take the total of each map's coordinates, so that conjunctions of two, "
            "three and four properties all speak to the score directly. The maps come from squeezing products of the previous "
            "maps and the raw property codes."
        ),
        (
            "The state of our crossing module is a matrix: rows are combined slots, columns are latent factors. Going one level "
            "deeper multiplies its rows with the rows of the initial matrix, column by column, and contracts the row pairs with "
            "learned coefficients to a new, small set of rows."
        ),
        (
            "Instead of treating the joined codes of a news impression as one long string of numbers, we cross them as entire "
            "vectors. Weighted blends of entrywise products form a new list of vectors, this again is crossed with the initial "
            "list, and so forth; each list is summed over dimensions."
        ),
        (
            "The module borrows from image networks: for every latent coordinate there is a plane of products between hidden "
            "and original attributes, and a kernel as large as the plane reduces it to one pixel. Several kernels make several "
            "channels, which serve both the output, summed, and the next level."
        ),
        (
            "No activation is needed and the degree is known: a map on level k is a polynomial of degree k+1 in the columns' "
            "vectors, shared over all coordinates. Kernels learned per map decide which couple of lower map and base vector "
            "counts; final totals go to a logistic unit."
        ),
        (
            "In the travel app we wished for conjunctions of definite order without entangling single numbers. So we "
            "recursively multiply base vectors into the former stage's blended vectors, blend again to H vectors by trained "
            "coefficients, and collapse all stages' vectors into sums that feed the prediction."
        ),
        (
            "We grow families of vectors, generation by generation. To get the next generation, each member of the present one "
            "is multiplied coordinate-wise with each of the original column vectors, and all these products are blended to a "
            "fixed number of children, each child with its own trained blending weights. Mixing takes place among whole vectors "
            "only, never across coordinates. Each member of each generation is summed to a number, and a weighted sum of these "
            "numbers enters the log-odds."
        ),
        (
            "We keep whole vectors as the unit of crossing. On each floor, any vector of the floor below is multiplied "
            "position-wise with any vector of the ground floor, and from this large collection a fixed number of new vectors is "
            "distilled, each by its own trained mixing coefficients. Every vector of every floor is in the end totalled along "
            "its coordinates into one figure, and all these figures are weighed into the output."
        ),
        (
            "The rows of layer k are combined with the rows of the original field matrix by entrywise products, all with all, "
            "and each new row is a learned weighted sum of these products. The rows of every layer are summed along the latent "
            "dimension, and the sums of all layers are joined to form the explicit part of the score."
        ),
        (
            "We cross whole vectors, not single bits, and raise the order level by level. A level makes, in each latent "
            "dimension, the table of products between present rows and original rows, slides a set of trained filters over this "
            "table to shrink it into a few maps, and goes on; each map's total is passed to the output."
        ),
        (
            "Recipe: X0 has one row per column of data. Hadamard-multiply each row of X(k-1) by each row of X0; form H weighted "
            "totals of those products, giving X(k) with H rows; repeat; finally sum every row of every X over its coordinates "
            "and feed the concatenated numbers to the output unit."
        ),
        (
            "Imagine a stack of sheets, one for each latent coordinate, each sheet listing products of former-level entries "
            "with first-level entries. A filter reads all sheets with the same weights and puts down one number per sheet, "
            "making a new vector; several filters make several vectors, which play the former level next time. Row totals at "
            "every height are collected for the forecast."
        ),
        (
            "Explicit high-order terms usually come either bit by bit or in unmanageable numbers. Our crossing keeps each "
            "attribute's code together as a unit with weights shared over its coordinates, and after every multiplication by "
            "the original codes condenses the many products to a fixed count of mixed vectors, so growth stays polynomial; "
            "totals from all depths reach the final unit."
        ),
        (
            "The vector x at level k, map h, equals the sum over i and j of W^{k,h}_{ij} times (x at level k minus one, row i, "
            "elementwise "
            "x at level 0, row j). Sum-pool every map over its dimensions; link the pooled figures of all k to the logit. The "
            "state is a matrix of rows, never a flattened vector."
        ),
        (
            "Degree-two combinations of user, song and hour vectors are built, condensed, then multiplied again by user, song "
            "and hour vectors for degree three, and so on. Condensing is by trained filters resembling those of a convolutional "
            "net, which yield channel maps; from each degree a list of channel sums is tapped and sent to the predictor beside "
            "a plain tower."
        ),
        (
            "The hotel row is held as a table with an attribute on each line. Repeatedly, lines of the latest table are fused "
            "by coordinatewise multiplication with lines of the first one and blended by learned scalars to a limited number of "
            "fresh lines; there is no activation. What is given out is the horizontal sum of each line at each repetition, so "
            "all orders up to the depth are represented."
        ),
    ),
    arguments=(
        Argument(
            "feature_maps",
            (64, 64),
            (
                "feature maps per layer",
                "cin layers",
                "cin layer sizes",
                "number of feature maps",
                "layer sizes of the interaction network",
            ),
            low=1,
            high=1024,
        ),
        Argument("biased", False, ("bias of each feature map", "feature maps with a bias")),
    ),
    example="layer = CompressedInteraction(fields.shape[1], fields.shape[2], feature_maps=(6, 4))\noutput = layer(fields)",
)


class CompressedInteraction(nn.Module):
    """(B, F, D) -> (B, sum of `feature_maps`).

    `biased` adds a learned number to each map, which equation 6 does not have and common implementations do.
    """

    def __init__(
        self, n_fields: int, embedding_dim: int, feature_maps: Sequence[int] = (64, 64), *, biased: bool = False
    ) -> None:
        super().__init__()
        sizes = pairwise((n_fields, *feature_maps))
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(maps, 1)) for maps in feature_maps if biased)  # each (H, 1)
        self.filters = nn.ParameterList(_filter(maps, last, n_fields) for last, maps in sizes)  # each (H, M * F)
        self.out_dim = sum(feature_maps)

    def forward(self, fields: Tensor) -> Tensor:
        maps, pooled = fields, []
        for depth, weight in enumerate(self.filters):
            products = (maps.unsqueeze(2) * fields.unsqueeze(1)).flatten(1, 2)  # (B, M * F, D)
            maps = torch.matmul(weight, products)  # (B, H, D)
            if self.biases:
                maps = maps + self.biases[depth]
            pooled.append(maps.sum(2))  # (B, H)
        return torch.cat(pooled, 1)


def _filter(maps: int, last: int, n_fields: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_normal_(torch.empty(maps, last * n_fields)))
