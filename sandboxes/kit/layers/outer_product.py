"""Outer product layer, superposed over pairs. Notation: B rows, F fields, D embedding width."""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.card import Card

CARD = Card(
    name="outer_product",
    block="OuterProduct",
    slot="interaction",
    placement="input",
    summary="Computes the outer products of all pairs of field embeddings, superposed into one D x D matrix, as "
    "inputs of the deep network.",
    equation="p = sum_i sum_j f_i f_j^T = f_S f_S^T with f_S = sum_i f_i, flattened; the superposed variant"
    " (Qu et al., ICDM 2016, eq. 14)",
    cues=(
        "outer product",
        "product layer",
        "outer product layer",
        "outer product-based",
        "outer-product based neural network",
        "outer product of field embeddings",
        "outer product of two embedding vectors",
        "superposition of outer products",
        "sum pooling of the outer products",
        "superposition",
        "matrix of pairwise products of embedding elements",
        "outer product interaction",
    ),
    descriptions=(
        "The interaction of two fields is the matrix that the outer product of their embedding vectors gives.",
        (
            "The outer product matrices of all pairs are added element by element, which equals the outer product of "
            "the summed embeddings."
        ),
        "Superposition of the pairwise matrices reduces the cost from quadratic in the number of fields to linear.",
        "Every element of one embedding is multiplied with every element of another, and the matrix feeds the hidden layers.",
        "The product layer uses a vector outer product, so that a field pair is described by a matrix and not by one number.",
        (
            "For a pair of field embeddings we form the full K-by-K matrix of all coordinate products rather than a single "
            "scalar. To keep the cost low, the embeddings are summed first and the matrix of this sum with itself is flattened "
            "into the input of the deep network."
        ),
        (
            "The interaction layer represents feature pairs by rank-one matrices. Instead of keeping one per pair, all of them "
            "are superposed by sum pooling over the fields, and the resulting square matrix is passed together with the linear "
            "signals to the fully connected hidden layers."
        ),
        (
            "Every latent dimension of one field is multiplied with every latent dimension of another, giving a matrix-valued "
            "interaction. Matrices of all field pairs are added up, and the hidden layer of the network reads the entries of "
            "the aggregated matrix through learned weights."
        ),
        (
            "Our product layer outputs a matrix per pair, v_i times v_j transposed, that captures cross-dimension correlations. "
            "By superposition the quadratic number of matrices collapses to one, computed from the summed field vectors, and "
            "the multilayer perceptron takes its entries as inputs."
        ),
        (
            "We add up the codes of all columns in a booking record, then make a multiplication table of that total: each of "
            "its coordinates times each of its coordinates. The table is unrolled and becomes the input of a multi-layer "
            "classifier."
        ),
        (
            "Where others reduce two attributes to one number of agreement, we keep the whole grid: coordinate one of the first "
            "with coordinates one, two, three of the second, and so on. Grids from all couples are laid on top of one another, "
            "summed, and read by the neural layers."
        ),
        (
            "In our music service a song's slot and a listener's slot meet in a square table with as many rows and columns as "
            "latent factors. Off-diagonal cells, which matching-coordinate schemes throw away, are retained. One accumulated "
            "table is handed to the hidden units."
        ),
        (
            "Storing a table for each couple of properties would be ruinous in memory. We therefore exploit that the sum of all "
            "such rank-one tables equals the table built from the added-up vectors with themselves, and give only this single "
            "one to the dense layers."
        ),
        (
            "A column vector times a row vector gives a grid of numbers; we do this for the representations of any two "
            "attributes of a news impression, pile the grids up entry by entry, and let a perceptron weigh the entries of the "
            "pile."
        ),
        (
            "The goal is to let factor three of the merchant talk to factor seven of the card holder. All mixed products of "
            "unlike coordinates are computed, gathered in one square array summed over couples of properties, and this array "
            "enters the multi-layer model as raw inputs."
        ),
        (
            "First, pool the points of all attributes by addition. Second, multiply the pooled point by its own transpose. "
            "Third, flatten the symmetric square array so obtained and place it beside the original codes as what the first "
            "dense layer sees."
        ),
        (
            "Compared with a signal of one number per couple, ours is of size factors by factors and has no learned weights of "
            "its own; the meaning of its cells is found only later, by the hidden layer which receives the superimposed square."
        ),
        (
            "For game recommendation, the model crosses each latent trait of one slot with each latent trait of another. The "
            "squared-size signal would explode, so it is accumulated over all slot couples into a single array before the "
            "feed-forward part takes over."
        ),
        (
            "Pairs of properties are expressed as rank-one arrays containing all d times d mixed terms. They are not weighed or "
            "stored apart; they are simply added, and the total array, whose cost no longer grows with the square of the number "
            "of columns, is supplied to the tower."
        ),
        (
            "Of two codes we take every coordinate of the one times every coordinate of the other, which gives a square table. "
            "The tables of all couples of columns are added on top of one another, and the cells of the resulting table are "
            "inputs of the hidden layers."
        ),
        (
            "Matching coordinates only with their counterparts ignores that the third factor of a user may go with the fifth "
            "factor of an ad. We therefore form all cross-coordinate products of each two vectors, superimpose these k-by-k "
            "grids to keep size in check, flatten, and pass on to the perceptron."
        ),
        (
            "Add up the vectors of all fields to s. Multiply s as a column with s as a row, which at once superposes the grids "
            "of every pair; unroll the grid, attach it to the chained vectors, and let rectified layers predict from this."
        ),
        (
            "Think of a multiplication table: rows carry the numbers of one attribute, columns those of another, cells their "
            "products. Laying the transparencies for all attribute duos on a single stack and summing cell by cell yields one "
            "table for the row, which a deep network reads."
        ),
        (
            "Our product stage yields a matrix rather than a scalar for each twosome of properties, since the full rank-one "
            "matrix keeps which dimension met which. As a matrix per twosome would be far too big, they are summed over "
            "twosomes, and the summed matrix goes through learned weights to the dense layers."
        ),
        (
            "M equals the sum over i and j of e_i times e_j transposed, k rows and k columns; the first hidden layer receives M "
            "unrolled and the e's themselves. The trace of M would give the ordinary sum of matches, but the off-diagonal cells "
            "are the point here."
        ),
        (
            "Latent dimensions of song and of listener are crossed exhaustively, each with each. The resulting squares, one per "
            "duo of slots, are collapsed by addition to a single square in order that memory remain quadratic in code length "
            "and not in slots as well, and a multilayer net draws the nonlinear conclusions."
        ),
        (
            "We provide the feed-forward tower with a map of co-activation: cell (a, b) tells how strongly factor a of some "
            "booking attribute and factor b of another are active at the same time, accumulated over all attribute couples. No "
            "trainable matrix comes between the codes before multiplication; weights come only after, when the map is read by "
            "hidden units."
        ),
    ),
    example="layer = OuterProduct(fields.shape[1], fields.shape[2])\noutput = layer(fields)",
)


class OuterProduct(nn.Module):
    """(B, F, D) -> (B, D * D)."""

    def __init__(self, n_fields: int, embedding_dim: int) -> None:
        super().__init__()
        self.out_dim = embedding_dim * embedding_dim

    def forward(self, fields: Tensor) -> Tensor:
        total = fields.sum(1)  # (B, D)
        return (total.unsqueeze(2) * total.unsqueeze(1)).flatten(1)  # (B, D * D)
