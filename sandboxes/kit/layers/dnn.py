"""Deep tower: fully connected layers over the flat input. Notation: B rows, K input width."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense

CARD = Card(
    name="dnn",
    block="DNN",
    slot="interaction",
    placement="parallel",
    flat_input=True,
    summary="A feed-forward network of fully connected ReLU layers over the concatenated embeddings: implicit "
    "high-order interactions.",
    equation="a^{l+1} = relu(W^l a^l + b^l), a^0 = [e_1, ..., e_F] concatenated (Guo et al., IJCAI 2017, eq. 3 and 4)",
    cues=(
        "deep neural network",
        "deep component",
        "deep part",
        "deep network",
        "multi-layer perceptron",
        "multilayer perceptron",
        "mlp",
        "fully connected layers",
        "fully-connected layers",
        "feed-forward neural network",
        "feedforward network",
        "hidden layers",
        "high-order feature interactions implicitly",
        "implicit high-order interactions",
        "concatenated embeddings are fed into",
        "relu layers",
        "stacked fully connected layers",
    ),
    descriptions=(
        "The embeddings of all fields are concatenated and passed through several fully connected layers with ReLU activation.",
        "The deep component is a feed-forward neural network that learns high-order feature interactions implicitly.",
        "Low-dimensional dense embeddings are fed into the hidden layers of a neural network in the forward pass.",
        "A multi-layer perceptron on top of the embedding layer models complex and non-linear relations between features.",
        (
            "Each hidden layer applies a linear transformation followed by a rectified linear unit, with dropout "
            "against overfitting."
        ),
    ),
    arguments=(
        Argument(
            "hidden_units",
            (400, 400),
            (
                "hidden units",
                "hidden layer sizes",
                "hidden layers",
                "layer sizes",
                "mlp layers",
                "dnn layers",
                "network structure",
                "neurons per layer",
                "number of neurons",
                "fully connected layers",
                "size of hidden layers",
                "dimensions of the mlp",
            ),
            low=1,
            high=8192,
        ),
    ),
    example="flat = fields.flatten(1)\nlayer = DNN(flat.shape[1], hidden_units=(32, 16), dropout=0.1)\noutput = layer(flat)",
)


class DNN(nn.Module):
    """(B, K) -> (B, out_dim): linear, ReLU and dropout for each of `hidden_units`; `out_dim` is the last of them.

    Weights start as He et al., ICCV 2015, eq. 10 has it, so that signals keep their size from layer to layer. With torch's own
    start they shrink, and training spends its first epochs on what single features say.
    """

    def __init__(self, in_dim: int, hidden_units: Sequence[int] = (400, 400), dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, next_width in pairwise((in_dim, *hidden_units)):
            layers.append(_hidden(width, next_width))
            layers += [nn.Dropout(dropout)] if dropout else []
        self.layers = nn.Sequential(*layers)
        self.out_dim = hidden_units[-1] if hidden_units else in_dim

    def forward(self, flat: Tensor) -> Tensor:
        deep: Tensor = self.layers(flat)  # (B, out_dim)
        return deep


def _hidden(width: int, next_width: int) -> Dense:
    hidden = Dense(width, next_width, relu=True)
    nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
    nn.init.zeros_(hidden.bias)
    return hidden
