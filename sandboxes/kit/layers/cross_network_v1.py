"""Cross network with weight vectors: bounded-degree crosses of the flat embeddings. Notation: B rows, K = F * D input width."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="cross_network_v1",
    block="CrossNetworkV1",
    slot="interaction",
    placement="parallel",
    takes=("flat",),
    summary="Stacks cross layers on the flat embeddings; each multiplies the input by a learned scalar "
    "projection of the last layer.",
    equation="x_{l+1} = x_0 (x_l^T w_l) + b_l + x_l, w_l and b_l vectors (Wang et al., ADKDD 2017, eq. 3)",
    cues=(
        "cross network",
        "cross layer",
        "cross layers",
        "crossing layers",
        "explicit feature crossing",
        "apply feature crossing at each layer",
        "bounded-degree feature interactions",
        "weight vector of the cross layer",
        "cross layer with weight and bias parameters",
        "cross terms of degree",
        "highest polynomial degree increases at each layer",
        "highest polynomial degree",
        "bit-wise interactions explicitly",
        "rank-one cross",
        "feature crossing function",
        "vector-wise weight cross network",
    ),
    descriptions=(
        (
            "Each cross layer adds back its input and fits the residual, a product of the base input and a "
            "projection of the last output."
        ),
        "The degree of the crosses grows by one with every layer, so depth bounds the polynomial degree.",
        "A cross network of a few layers applies explicit feature crossing automatically and is joined with a deep network.",
        (
            "The outer product of the input with the current state is compressed by a weight vector, so a layer "
            "needs only 2d parameters."
        ),
        (
            "The cross network and the deep network run in parallel on the stacked embedding vector, and their "
            "outputs are concatenated."
        ),
        "The parameters of the cross network grow linearly with the input dimension.",
        (
            "We propose explicit layers x_{l+1} = x_0 (x_l^T w_l) + b_l + x_l: the concatenated input is scaled by a scalar "
            "obtained from projecting the current layer onto a weight vector. Stacking them raises the degree of the polynomial "
            "by one per layer with only linear parameters."
        ),
        (
            "Bounded-degree feature interactions are learned by repeatedly multiplying the original embedding vector with a "
            "single number, the inner product of the last layer's output and a learned weight vector, followed by bias and "
            "residual addition. Each layer has only two parameter vectors."
        ),
        (
            "In each layer the whole input vector is rescaled by one learned projection of the previous output and then added "
            "to that output. Depth determines the highest order of the interactions, while the number of parameters stays "
            "linear in the input dimension."
        ),
        (
            "Beside the deep tower runs a lightweight stack whose every layer computes a scalar w^T x_l, multiplies the "
            "original concatenated features by it, and keeps a skip connection. Thereby high-degree bitwise combinations appear "
            "without manual engineering and at rank-one cost."
        ),
        (
            "At every step the running state is boiled down to a single number with a weight vector. The original row of codes "
            "is multiplied by that number, the running state is added again, and the step is repeated several times, gaining "
            "one polynomial degree each time."
        ),
        (
            "Start with the joined codes of an impression. Take a weighted total of the current vector, which is one number; "
            "blow up or shrink the starting vector by it; add an offset and the current vector. Do this three times, and "
            "products of four properties have emerged."
        ),
        (
            "Memory was our concern in the banking app: a step of our crossing stack needs just a weight vector and an offset "
            "vector, for what multiplies the initial input is one number rather than a separate factor for each coordinate. "
            "Steps are chained with shortcuts."
        ),
        (
            "The stack multiplies the raw input by itself again and again, but economically. Since all coordinates of the raw "
            "input receive the same multiplier, namely the weighted sum of the present state, the cost of a step grows only in "
            "proportion to the input's width."
        ),
        (
            "Let the starting vector be s and the present one p. Our recursion is: new p equals s times the number (weights "
            "dotted with p), plus p, plus an offset. Each round lifts the order of the products by one, and no square weight "
            "matrix is involved."
        ),
        (
            "Polynomials of the attributes, with the degree set by how many rounds we run, come from a recursion in which the "
            "unaltered input returns each time, stretched as a whole by a learned summary number of the previous round, the "
            "previous round being carried over too."
        ),
        (
            "For podcast suggestions we put next to the ordinary tower a chain of crossing steps. In each, a vector of weights "
            "condenses the prior outcome to one value, by which the entire first-layer input is multiplied; a shortcut carries "
            "the prior outcome along."
        ),
        (
            "One may read a round as follows: all pairwise products between the input's entries and the state's entries are "
            "formed and immediately projected back to the input's width by a weight vector, which is the same as scaling the "
            "input uniformly by a number. Rounds are stacked."
        ),
        (
            "The degree of conjunctions among slots grows with depth, yet a layer is hardly dearer than a logistic regression: "
            "width-many weights yielding one common factor for the first input, width-many offsets, and an identity path from "
            "the layer beneath."
        ),
        (
            "No hand-made conjunctions are needed in our hotel ranker. A chain of cheap operations, each of which lets the "
            "initial vector be amplified evenly by a scalar read off the latest vector and then adds the latest vector, "
            "produces them up to a chosen order."
        ),
        (
            "Denote by a the long vector of the ad request. At each step the current vector is projected on a trained "
            "direction, which gives one number; a is stretched by this number, an offset is added, and the current vector is "
            "added too. After k steps the coordinates are polynomials of degree k+1 in a. A step needs no more parameters than "
            "twice the length of a, so even our smallest bidder could afford six."
        ),
        (
            "Each layer squeezes the preceding layer's vector to a single number by a learned direction, multiplies the "
            "original input by this number, and adds the preceding vector and an offset. Repeating raises the polynomial degree "
            "by one at a time, at the cost of two vectors of parameters per layer."
        ),
        (
            "Take x0, the chained codes. Project the latest state onto w, giving a scalar; stretch x0 by the scalar; add b and "
            "the latest state. Do so L times: the outcome contains products of up to L plus one columns, although a layer owns "
            "no matrix at all."
        ),
        (
            "We would like explicit combinations of bounded order almost for free. In our stack the initial row is rescaled at "
            "each level as a whole, all coordinates by the same factor, the factor being a weighted sum of what the level "
            "beneath produced; the level beneath is carried along by addition."
        ),
        (
            "Imagine an amplifier whose volume knob is turned by its own earlier output: the original signal comes in again at "
            "every stage, is played louder or softer by one common gain, and is mixed with what the former stage delivered. The "
            "gain is a learned weighted total of the former stage."
        ),
        (
            "The explicit branch next to our deep tower is recursive. State l plus one is x0 times the number x_l transposed "
            "w_l, plus b_l, plus x_l; the rank-one form makes parameters linear in the width, in exchange for every coordinate "
            "of x0 sharing one multiplier."
        ),
        (
            "Features of music sessions are crossed automatically and degree by degree. In every step the full starting vector "
            "meets a one-number digest of the current state, their product is superposed on that state, and so the final vector "
            "is a polynomial of the start whose degree is set by depth."
        ),
        (
            "Hand-made combinations of banner, page and hour are replaced with a light recursion. It keeps going back to the "
            "raw joined representation, multiplies it by a learned scalar summary of what has been built so far, and stores the "
            "sum; a few thousand weights suffice, since each round fits just one direction and one offset."
        ),
        (
            "Stage after stage, the row of hotel and guest coordinates is re-weighted uniformly: dot the running result with a "
            "trained vector, get a scalar, scale the very first row by it, add the running result. There are no nonlinear "
            "activations, and no weight matrix mixes coordinates, which makes it the cheapest way to high-order terms."
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
    ),
    example="flat = fields.flatten(1)\nlayer = CrossNetworkV1(flat.shape[1], n_layers=3)\noutput = layer(flat)",
)


class CrossNetworkV1(nn.Module):
    """(B, K) -> (B, K)."""

    def __init__(self, in_dim: int, n_layers: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_layers, in_dim) * in_dim**-0.5)  # (n_layers, K)
        self.bias = nn.Parameter(torch.zeros(n_layers, in_dim))  # (n_layers, K)
        self.out_dim = in_dim

    def forward(self, flat: Tensor) -> Tensor:
        crossed = flat
        for weight, bias in zip(self.weight, self.bias, strict=True):
            projected = (crossed @ weight).unsqueeze(1)  # (B, 1)
            crossed = flat * projected + bias + crossed  # (B, K)
        return crossed
