"""Cross network with weight matrices, full or of low rank. Notation: B rows, K = F * D input width, R rank."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense

CARD = Card(
    name="cross_network_v2",
    block="CrossNetworkV2",
    slot="interaction",
    placement="parallel",
    takes=("flat",),
    summary="Stacks cross layers with weight matrices on the flat embeddings: the input times a linear map of "
    "the last layer, element-wise.",
    equation="x_{l+1} = x_0 * (W_l x_l + b_l) + x_l, element-wise product; W_l = U_l V_l^T when rank > 0"
    " (Wang et al., WWW 2021, eq. 1 and section 4.2)",
    cues=(
        "cross network with weight matrix",
        "improved cross network",
        "cross network",
        "cross layer",
        "cross layers",
        "cross layer with a full weight matrix",
        "full-rank cross layer",
        "low-rank cross layer",
        "low-rank cross network",
        "low-rank approximation of the cross weight matrix",
        "matrix-wise cross layer",
        "learned weight matrix in each cross layer",
        "weight matrix of the cross layer",
        "cross layer with hadamard product",
        "element-wise product with the base layer",
        "element-wise product of the original input and the linear transformation of the current layer",
        "hadamard product of the base features and the projected state",
        "explicit bounded-degree cross features with matrices",
        "low-rank matrices in the cross layer",
    ),
    descriptions=(
        (
            "Each cross layer multiplies the base embedding element by element with a linear transformation of the "
            "previous layer's output."
        ),
        "A full weight matrix in each cross layer gives every pair of elements its own interaction weight.",
        "The learned cross matrix is approximated by the product of two tall low-rank matrices to lower the cost.",
        "Stacked cross layers build explicit feature interactions whose order grows with depth, with a residual connection each.",
        "The cross network runs in parallel with a deep network, or before it, on the concatenated embeddings.",
        "Replacing the weight vector of a cross layer by a matrix makes it considerably more expressive.",
        (
            "Each layer computes x_{l+1} = x_0 ⊙ (W_l x_l + b_l) + x_l, with a full weight matrix, so that each coordinate of "
            "the original input receives its own factor. Stacked layers model bounded-degree interactions more expressively "
            "than a scalar projection could."
        ),
        (
            "We replace the weight vector of explicit crossing layers by a matrix: the output of the last layer is mapped "
            "linearly to the input's dimension and multiplied element-wise with the original embedding layer, plus a residual. "
            "A low-rank factorisation of the matrix reduces the cost."
        ),
        (
            "The base features x_0 are combined by Hadamard product with an affine transformation of the current layer at each "
            "depth. The square matrix captures the importance of every bit pair, and a residual link preserves lower-order "
            "terms; depth governs the polynomial order."
        ),
        (
            "For web-scale ranking we stack crossing layers whose kernel is a d-by-d matrix, possibly decomposed into two thin "
            "matrices or a mixture of low-rank ones. In each layer the raw input is multiplied coordinate-wise with the "
            "projected hidden state and the state is added."
        ),
        (
            "A step of our stack works so: the present state passes through a square table of weights and an offset, giving a "
            "vector as wide as the starting input; the two are multiplied position by position; then the present state is "
            "added. Several steps follow one another."
        ),
        (
            "Scaling the whole starting vector by one number was too coarse. Now each of its positions gets a factor of its "
            "own, worked out by a linear map from all positions of the present state, and the identity path is kept. Orders add "
            "up with the number of steps."
        ),
        (
            "In our advertising ranker, the unprocessed row of codes re-enters at every level, where it is multiplied entry by "
            "entry with a linearly transformed copy of the level below. To spare computing, the transforming matrix is written "
            "as a tall one times a wide one."
        ),
        (
            "The recursion is: new state equals start vector, times entrywise (matrix applied to old state plus offset), plus "
            "old state. Because of the matrix, any entry of the start vector may be coupled with any entry of the old state "
            "with its own strength, round after round."
        ),
        (
            "Products of up to five attributes of a game session are gained through four chained levels. On each level a dense "
            "linear map without activation prepares one multiplier per coordinate from the latest outcome, which acts on the "
            "first input; the latest outcome is then carried forward."
        ),
        (
            "We spend quadratic instead of linear parameters per crossing level, and get in return a separate learned "
            "multiplier for each component of the initial representation. Skinny factor pairs in place of the full table bring "
            "most of the price back down. Levels are stacked with shortcuts."
        ),
        (
            "Like gates that are linear rather than squashed, coordinates computed from the preceding level's vector open or "
            "amplify the coordinates of the very first vector. The preceding vector is added afterwards, and stacking such "
            "levels yields ever higher powers of the inputs."
        ),
        (
            "The first-layer input of the hotel model is kept and used again at each depth. There it meets, position against "
            "position, the preceding depth's vector turned by a trained square array; a skip path joins. Each depth thus "
            "contributes one more degree of conjunction."
        ),
        (
            "What couples the properties is a weight array per level, whose blocks tell how strongly one column's code "
            "influences another's. The array is applied to the running vector, the outcome multiplies the initial vector "
            "componentwise, and the running vector is added for the next level."
        ),
        (
            "We chain a few levels of the form: affine map of the newest vector, times the oldest vector at like positions, "
            "plus the newest vector. Our profiling for a video site showed the maps to be close to low rank, hence we store "
            "them as two narrow factors."
        ),
        (
            "Our step function is as follows: take the present vector, send it through a full square matrix plus offset, "
            "multiply the outcome entry by entry with the very first input, and add the present vector. Every entry of the "
            "first input receives a multiplier of its own, and not a common one. Four repetitions, each having its own matrix, "
            "were enough for the app store data; the last result goes to the output unit directly."
        ),
        (
            "Let u be the joined input and let v begin as u. In each round v is sent through a full square table of trainable "
            "numbers and an offset; what comes out scales u, coordinate for coordinate, and the scaled u is laid on top of v to "
            "give the next v. After three rounds, products of as much as four coordinates are present, each with a richly "
            "parametrised coefficient. The last v is weighted into the score."
        ),
        (
            "Each layer sends the preceding state through a full weight matrix and an offset, multiplies what comes out "
            "coordinate by coordinate with the original input, and adds the preceding state. Every coordinate of the input thus "
            "gets a multiplier of its own, and degree goes up by one per layer."
        ),
        (
            "Start from x0, all codes in a row. Compute W times the running vector plus b; multiply in place with x0; add the "
            "running vector; repeat with another W. To save cost W may be written as the product of a tall and a flat matrix, "
            "or as a gated mixture of several such low-rank pairs."
        ),
        (
            "If one scalar rescales the whole input, the explicit branch can express very little. We replace it with a vector "
            "of factors, derived from the current state by a square trained matrix, so that bit by bit any coordinate may be "
            "crossed with any other; the raw input is brought in anew at each level and the state is carried forward."
        ),
        (
            "It is like a mixing desk with a slider for each channel: at each stage all sliders are set by linear combinations "
            "of the earlier stage's channels, the original recording is sent through the sliders, and the outcome is laid over "
            "the earlier stage. Several stages make high-order blends."
        ),
        (
            "The state x_{l+1} equals x_0 elementwise (W_l x_l plus b_l) plus x_l, W_l square. No activation function comes "
            "in; a block "
            "of W tells how strongly two columns combine, so the learned matrix can be read as a map of column-by-column "
            "interplay."
        ),
        (
            "Explicit polynomial terms of install-prediction attributes are generated by a recursion that is richer than a "
            "rank-one update. The running representation is linearly remixed in full, serves as a gate on every single entry of "
            "the initial representation, and gets itself added back, so that L rounds reach order L plus one."
        ),
        (
            "We let the first-level row of song and listener coordinates be modulated repeatedly. The modulating signal in each "
            "round is an affine image, as wide as the row, of the latest result; modulation is entrywise, followed by an "
            "identity skip. The quadratic parameter count is the price of expressiveness and can be cut by factorising."
        ),
        (
            "Our crossing tower for bank offers alternates two moves: a dense linear map mixing all positions of the present "
            "vector, then a place-by-place product with the very first vector, with the present one added. Since the multiplier "
            "differs from position to position, products such as age with region and device with hour can be learned at the "
            "same depth independently."
        ),
    ),
    arguments=(
        Argument(
            "n_layers",
            3,
            ("cross layers", "number of cross layers", "cross layer depth", "depth of the cross network", "cross depth"),
            low=1,
            high=16,
        ),
        Argument(
            "rank", 0, ("rank of the cross layers", "low-rank dimension", "rank of the low-rank matrices"), low=0, high=4096
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = CrossNetworkV2(flat.shape[1], n_layers=2, rank=0)\noutput = layer(flat)",
)


class CrossNetworkV2(nn.Module):
    """(B, K) -> (B, K). `rank` 0 means full matrices; otherwise W = U V^T with U and V of shape (K, rank)."""

    def __init__(self, in_dim: int, n_layers: int = 3, rank: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_map(in_dim, rank) for _ in range(n_layers))
        self.out_dim = in_dim

    def forward(self, flat: Tensor) -> Tensor:
        crossed = flat
        for layer in self.layers:
            crossed = torch.addcmul(crossed, flat, layer(crossed))  # (B, K)
        return crossed


def _map(in_dim: int, rank: int) -> nn.Module:
    """x -> W x + b, with W full or U V^T."""
    if rank == 0:
        return Dense(in_dim, in_dim)
    return nn.Sequential(Dense(in_dim, rank, bias=False), Dense(rank, in_dim))
