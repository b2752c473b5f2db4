"""Deep tower: fully connected layers over the flat input. Notation: B rows, K input width."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense, start_before_relu

CARD = Card(
    name="dnn",
    block="DNN",
    slot="interaction",
    placement="parallel",
    takes=("flat",),
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
        (
            "The embeddings of all fields are concatenated into one dense vector, which is fed to a stack of fully connected "
            "layers with ReLU activations. The last layer outputs the click probability through a sigmoid; high-order feature "
            "interactions are learned implicitly."
        ),
        (
            "On top of the embedding layer we place a multi-layer perceptron: each hidden layer computes an affine "
            "transformation of the previous one followed by a rectifier, with no explicit feature crossing."
        ),
        (
            "Our deep component is a plain feed-forward network over the concatenated sparse-feature embeddings and dense "
            "features. It generalises to unseen feature combinations by learning nonlinear functions of the input, without "
            "hand-crafted crosses."
        ),
        (
            "Categorical features are embedded, joined with the normalised numerical ones, and passed through several hidden "
            "layers of decreasing width with rectified linear units to predict the response. Interactions are modelled at the "
            "bit level and implicitly."
        ),
        (
            "We lay the codes of all columns end to end and push the long vector through layer after layer: multiply by a "
            "weight matrix, add an offset, set negative values to zero. The top layer's single output, squashed, is the chance "
            "that the song is played to the end."
        ),
        (
            "No multiplication between attributes is built in. A hotel, a guest and a date are each looked up in a table, their "
            "vectors are strung together, and a tower of dense layers with a kinked activation is left to work out by itself "
            "how they combine."
        ),
        (
            "The predictor is the simplest neural one: look up, concatenate, and apply a sequence of matrix products with "
            "thresholding at zero in between. Each layer sees only the output of the layer below, there are no shortcuts, and "
            "the widths shrink towards the top."
        ),
        (
            "Every unit in the lowest hidden layer is connected with every coordinate of every slot's vector; every unit in the "
            "next layer with all of those below. By piling up such layers the model approximates an arbitrary function of the "
            "ad request, fitted by backpropagation."
        ),
        (
            "Rather than enumerating which properties of a transaction should be crossed, we trust a generic function "
            "approximator. Its input is the side-by-side arrangement of the learned property representations; inside, affine "
            "maps alternate with max(0, x); its output is the fraud logit."
        ),
        (
            "In our news ranker the latent factors of reader, article, topic and hour are glued into a single row. Three "
            "densely wired layers transform the row, each with rectified outputs and dropout, and a final neuron states how "
            "likely the reader is to open the article."
        ),
        (
            "The network has no special wiring for pairs of features, for sequences or for tasks. Information simply flows "
            "upwards from the stacked lookup vectors through successive non-linear layers of neurons, and whatever dependence "
            "among the inputs exists must be absorbed by the weights."
        ),
        (
            "The dense tower receives the raw lookup vectors of all game and player attributes, unpooled and unmultiplied, one "
            "after another in one input. Its depth is three, its activation clips negatives, and almost all its cost lies in "
            "the first weight matrix."
        ),
        (
            "Let a0 be the collation of all looked-up vectors. Then a1 = max(0, W1 a0 + b1), a2 = max(0, W2 a1 + b2) and so on; "
            "the score is a linear readout of the final a. Such a composition can represent combinations of any order, though "
            "none is spelled out."
        ),
        (
            "We treat response estimation as ordinary nonlinear regression: the properties' learned points are appended to each "
            "other and a layered perceptron with one-sided linear units maps the joined point to a score. The lookup tables are "
            "trained together with the perceptron."
        ),
        (
            "All the looked-up vectors of a job impression are laid end to end. The long vector is multiplied by a trained "
            "matrix, shifted, and its negative entries are replaced with zero; this recipe is carried out three times, with "
            "512, 256 and 128 outputs. A last weighted sum, squashed to the unit interval, is our estimate that the candidate "
            'presses "apply". There is nothing else in the model, and this is the point of the paper.'
        ),
        (
            "The numbers looked up for the twelve columns are written one behind another into one long vector. A first table of "
            "weights turns it into 300 sums, of which the negative ones are set to zero; two more tables do the same, down to "
            "150 and 75. From the last 75 a single sum is formed and squashed between zero and one. Nothing else is in the "
            "model."
        ),
        (
            "Look up a code for every column, lay the codes end to end as one long vector, and pass it through several fully "
            "linked layers that clip negative values to zero. One last unit gives the log-odds; no products between columns are "
            "ever formed by design."
        ),
        (
            "We leave it to plain stacked layers to find out which combinations of attributes matter. The inputs are all "
            "attribute vectors side by side; each layer multiplies by a weight matrix, adds an offset and rectifies, and any "
            "interplay is learned implicitly, without hand-made crossings."
        ),
        (
            "Step 1, turn each categorical entry into dense coordinates; step 2, glue the coordinates together; step 3, repeat "
            "a few times: affine map, then the larger of zero and the value; step 4, one affine map to a scalar and a logistic "
            "squeeze. There are no shortcuts around layers and no multiplicative units."
        ),
        (
            "Like a factory line in which every station receives everything the former station produced and bends it a little, "
            "our predictor sends the joined descriptions of user, ad and page through station after station. Each station "
            "computes weighted sums of all its inputs and drops those below zero, and the last one names the chance of a "
            "response."
        ),
        (
            "The deep component is a tower of narrowing hidden layers over the dense codes of all slots. It generalises to "
            "pairings never seen in training because similar entries have nearby codes; its notion of interaction is wholly "
            "implicit, hidden in the rectified weighted sums."
        ),
        (
            "The input a0 is the juxtaposition of the field vectors; a of layer l plus one is the rectifier applied to W a "
            "plus b; the "
            "logit is w transposed times the last a. Nothing else feeds this branch: neither pair products nor the original "
            "input again after the first layer."
        ),
        (
            "Song, listener and context properties are each exchanged for a short list of trained numbers, and the lists are "
            "chained into one input row. A conventional multilayer perceptron with ramp-shaped units then works out nonlinear, "
            "high-order regularities bit by bit. It is our simplest ingredient, costing just a few matrix products."
        ),
        (
            "Instead of engineering combined attributes for the bank's campaigns we rely on universal approximation: a "
            "succession of dense layers, all-to-all, each followed by a one-sided nonlinearity, operates on the merged "
            "representations of the client's properties. Gradients flow down to the representations themselves, so lookup "
            "tables and layers are fitted together."
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
            layers.append(start_before_relu(Dense(width, next_width, relu=True)))
            layers += [nn.Dropout(dropout)] if dropout else []
        self.layers = nn.Sequential(*layers)
        self.out_dim = hidden_units[-1] if hidden_units else in_dim

    def forward(self, flat: Tensor) -> Tensor:
        deep: Tensor = self.layers(flat)  # (B, out_dim)
        return deep
