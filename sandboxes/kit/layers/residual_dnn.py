"""Residual deep tower: two-layer units with shortcut connections. Notation: B rows, K input width, H inner width."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense

CARD = Card(
    name="residual_dnn",
    block="ResidualDNN",
    slot="interaction",
    placement="parallel",
    takes=("flat",),
    summary="A deep tower of residual units over the concatenated embeddings: each adds its input to a two-layer transformation.",
    equation="x_{l+1} = relu(W_1 relu(W_0 x_l + b_0) + b_1 + x_l), one unit for each inner width (Shan et al., "
    "KDD 2016, section 4.3)",
    cues=(
        "residual unit",
        "residual units",
        "residual layers",
        "residual blocks",
        "residual network over features",
        "residual mlp",
        "multi-layer residual network",
        "shortcut connections in the deep network",
        "residual connections between fully connected layers",
        "residual connections in the mlp",
        "adds back the original input feature after passing it through relu layers",
        "skip connections in the deep tower",
        "residual deep neural network",
    ),
    descriptions=(
        "The deep network is built of residual units, which add the original input after passing it through two ReLU layers.",
        "Shortcut connections around pairs of fully connected layers make the deep tower easier to train.",
        "A stacking layer concatenates the embeddings, and multiple residual units combine them before the scoring layer.",
        "Each residual unit keeps the width of its input and has an inner layer of its own size.",
        "Using residual blocks in place of plain hidden layers lets the network fit the residual of its input.",
        (
            "The stacked feature embeddings are passed through a series of residual units. Each unit transforms its input by "
            "two fully connected layers with ReLU, adds the original input element-wise to the result, and applies ReLU again "
            "before the next unit."
        ),
        (
            "To train a deeper tower over the concatenated embeddings, we add identity shortcut connections around every pair "
            "of hidden layers, so that each pair only fits the residual between its output and its input."
        ),
        (
            "Our deep part uses skip connections: the output of a block is its input plus a two-layer perceptron of that input. "
            "The inner layer may have any width, while the outer one returns to the dimension of the input so that both can be "
            "summed."
        ),
        (
            "Feature combinations are learned implicitly by a deep network whose building block is a two-layer transformation "
            "with a shortcut, which eases gradient flow and allows many more layers than a plain MLP over the same embeddings."
        ),
        (
            "Every stage of the tower corrects what it receives rather than replacing it. A stage computes a correction with a "
            "hidden layer and a return layer, adds the correction to the incoming vector, and passes the total up; after five "
            "stages a sigmoid gives the booking chance."
        ),
        (
            "We found that dense stacks over the joined attribute codes became harder to fit as we piled up layers. Bypasses "
            "solved it: around each two-layer piece runs a wire that carries the piece's input unchanged to its exit, where the "
            "two are summed."
        ),
        (
            "Let x be the joined vector of all columns. The tower repeats x ← relu(x + W2 relu(W1 x + b1) + b2) with fresh "
            "weights at each repetition. Since the width never changes, the original codes can travel all the way up to the "
            "logit."
        ),
        (
            "An ad, a query and a campaign are embedded and strung together. The string then goes through blocks which leave it "
            "as it is by default and learn only the difference to be made; with zero weights a block is (up to rectification) "
            "the identity."
        ),
        (
            "The listener's and track's representations are refined gradually. In each refinement the whole vector is narrowed, "
            "rectified, widened to its former size, and laid on top of its former self; no products between attributes are "
            "formed, and all combining is left to the refinements."
        ),
        (
            "Error signals reach the lookup tables undiminished, because an additive path leads from the top of the tower to "
            "the bottom past all hidden layers. At each level, two dense layers contribute a term to this path instead of "
            "standing in its way."
        ),
        (
            "For scoring transactions we use a tall network made of short detours. The main road transports the collated "
            "property vectors; every detour takes a copy, runs it through two weight matrices with a rectifier, and merges it "
            "by addition back into the road."
        ),
        (
            "Instead of a pyramid of shrinking hidden layers, our ranker keeps the dimension of its input constant and sums in "
            "a nonlinear update, itself a small two-layer net, at each depth. Depth can thereby be raised without the "
            "degradation seen in ordinary feed-forward towers."
        ),
        (
            "The hidden blocks learn y - x rather than y. Given the concatenated latent factors x of player and game, a block "
            "evaluates a pair of affine maps with a rectifier between them and returns x augmented by their outcome; several "
            "blocks are chained before the readout."
        ),
        (
            "A level of our news model consists of a memory of its input and a modification thereof: the input is remembered, "
            "modified by a bottleneck of two dense layers, and the modification is added to the memory. Levels of this kind "
            "stand on top of the appended slot vectors."
        ),
        (
            "The body of the model consists of identical building blocks. In each of them the arriving vector undergoes an "
            "affine map, clipping at zero and a second affine map which restores the original width; thereafter the arriving "
            "vector itself is added, and the total is clipped at zero again. A block has thus to learn a correction only, and "
            "with seven of them training on banner logs is still stable."
        ),
        (
            "Depth was not possible for us until every stage was given a bypass. A stage treats the vector it gets with a first "
            "weight table, clips the negatives, treats it with a second weight table, and then the vector as it had come in is "
            "summed to the result. Six such stages, one over the other, carry the joined player and item columns to the final "
            "probability."
        ),
        (
            "Our tower is built of blocks that compute only a correction. Within a block the vector goes through a rectified "
            "layer and a second layer back to its original width, then the untouched vector is added and the sum rectified; "
            "many blocks can be piled up without training stalling."
        ),
        (
            "The joined codes of all columns travel along a highway. At each junction a two-layer side road takes a copy, "
            "transforms it, and merges it back by addition, so whatever the side road does, the original gets through. After "
            "several junctions a logistic unit gives the click chance."
        ),
        (
            "Repeat for each unit: keep x; compute u as W1 x plus b1, clipped at zero; compute v as W2 u plus b2; put out the "
            "clipped sum of v and x. The side branch need only fit the difference between what comes out and what goes in, "
            "which eases optimisation of great depth."
        ),
        (
            "When we added more layers to a plain stack the error rose. We hence give every pair of layers a bypass: what "
            "enters the pair is summed, coordinate by coordinate, to what leaves it. An unneeded pair can then shrink its "
            "weights to zero and act as the identity, and the tower can be made deep."
        ),
        (
            "An editor who receives a draft hands on the draft plus her amendments, never a rewritten text; the next editor "
            "amends again. Each editor here is a small net with one hidden layer, the draft is the concatenated description of "
            "query, ad and landing page, and the final draft is scored by a sigmoid."
        ),
        (
            "The dense input row x is updated by x plus F(x), with F a map of two weight matrices and one rectifier in between, "
            "as many times as there are blocks. Additive carry, not multiplication by the first input, connects the blocks, and "
            "the width stays constant so the sum is defined."
        ),
        (
            "Feature combination is learned by depth alone, but depth is tamed with skip additions. Every two hidden layers the "
            "signal from two layers before is restored by adding it, letting error signals travel unhindered to the lookup "
            "tables of hotels and travellers. We found five such units as easy to fit as one."
        ),
        (
            "The listener-song representation, stacked from all attribute vectors, is refined gradually: a block proposes an "
            "increment through a hidden bottleneck and the increment is superposed on what the block got. Compared with an "
            "ordinary perceptron of equal size, only these identity paths differ, and they let the gradient bypass any stuck "
            "layer."
        ),
    ),
    arguments=(
        Argument(
            "hidden_units",
            (400, 400),
            (
                "hidden units of the residual units",
                "residual unit dimensions",
                "residual units",
                "inner dimensions",
                "hidden layers",
            ),
            low=1,
            high=8192,
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = ResidualDNN(flat.shape[1], hidden_units=(32, 16))\noutput = layer(flat)",
)


class ResidualUnit(nn.Module):
    """(B, K) -> (B, K), through an inner layer of width H."""

    def __init__(self, in_dim: int, inner_dim: int, dropout: float) -> None:
        super().__init__()
        self.inner, self.outer = Dense(in_dim, inner_dim, relu=True), Dense(inner_dim, in_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.inner(x)  # (B, H)
        outer: Tensor = self.dropout(torch.relu(self.outer(inner) + x))  # (B, K)
        return outer


class ResidualDNN(nn.Module):
    """(B, K) -> (B, K); `hidden_units` are the inner widths of the units."""

    def __init__(self, in_dim: int, hidden_units: Sequence[int] = (400, 400), dropout: float = 0.0) -> None:
        super().__init__()
        self.units = nn.Sequential(*(ResidualUnit(in_dim, width, dropout) for width in hidden_units))
        self.out_dim = in_dim

    def forward(self, flat: Tensor) -> Tensor:
        deep: Tensor = self.units(flat)  # (B, K)
        return deep
