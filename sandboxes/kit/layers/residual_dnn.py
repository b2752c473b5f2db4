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
    flat_input=True,
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
