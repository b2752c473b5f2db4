"""Personalised gates: a deep network whose hidden units are scaled, row by row, by what a gate network says of user and item.

Notation: B rows, F fields, D embedding width, K input width, P fields that the gates are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense, start_before_relu
from sandboxes.kit.layers.side_fields import fields_of
from sandboxes.kit.schema import Schema

CARD = Card(
    name="personalised_gate",
    block="PersonalisedGate",
    slot="interaction",
    placement="parallel",
    takes=("flat", "fields"),
    summary="A deep network in which a gate network, fed with the fields of user and item and with the detached input, "
    "scales every hidden unit of every layer for the row.",
    equation="h^{l+1} = relu(W^l (d^l * h^l) + b^l), d^l = g sigmoid(V^l relu(U^l [p, sg(x)])), element-wise, p the "
    "embeddings of user and item, sg without gradient, g = 2 (Chang et al., KDD 2023, eq. 4 to 8; Swietojanski "
    "and Renals, SLT 2014, eq. 3, whose amplitudes are a user's own numbers)",
    cues=(
        "personalized gate",
        "personalized gating",
        "personalised gating",
        "personalized gate network",
        "user behavior gating",
        "behavior gating module",
        "gate neural unit",
        "lhuc",
        "learning hidden unit contributions",
        "hidden unit contributions",
        "scale the hidden units",
        "scales the hidden units of each layer",
        "parameter personalized network",
        "personalized prior information",
        "stop gradient on the input of the gate",
        "personalize the network parameters",
    ),
    descriptions=(
        "A gate network reads user and item features and scales the hidden units of each layer of the deep network.",
        "The amplitude of every neuron is multiplied by a factor between zero and two that depends on who is asked.",
        "Personalised scaling factors are applied to the hidden layers, so that each user gets a network of his own.",
        "The inputs of the gate are cut off from back-propagation, so that the gate doesn't disturb the embeddings.",
        "User behaviour features drive a gating module that amplifies or mutes the hidden representation for the user.",
        "Twice a sigmoid leaves a unit as it is, switches it off or doubles it.",
        (
            "For personalisation with sparse data we add a gating module: user id, item id and behavioural statistics are fed "
            "into a two-layer gate whose sigmoid output, multiplied by two, is applied element-wise to the output of each "
            "layer of the prediction network."
        ),
        (
            "The gate takes personalised prior features together with the embeddings of the main network, whose gradient is "
            "stopped, and yields one scaling vector for each hidden layer. In this way the DNN's parameters are personalised "
            "without a parameter set for each user."
        ),
        (
            "Feature-level importance re-weighs what goes in. Our gates re-weigh what goes on inside: they act on all hidden "
            "layers of the tower, and are conditioned on the user's side information rather than on the layer's own "
            "activations."
        ),
        (
            "Inspired by speaker adaptation in acoustic models, we learn contributions of hidden units for each user: a "
            "function of the user's embedding yields an amplitude for each neuron of the shared network."
        ),
        (
            "One orchestra plays for everybody, but the mixing desk is set anew for each listener: a small circuit reads the "
            "listener's card and the song's label and moves the faders of all players, in the first row as well as in the "
            "last. The scores are never changed."
        ),
        (
            "Clients of a bank are served by one net. Before a layer's outputs are passed on, they are multiplied by numbers "
            "in (0, 2) that an auxiliary net has derived from the client's and the product's codes, together with a frozen "
            "copy of everything the main net sees."
        ),
        (
            "Tersely: d = 2 sigmoid(V relu(U [id vectors; detach(x)])); h = d * h; next layer; again with other U, V. Errors "
            "do not travel through detach(x)."
        ),
        (
            "Newcomers and heavy travellers behave differently though their queries look alike. Rather than more inputs, we "
            "give the traveller a say over the machinery: according to who she is, parts of the machinery that suit her are "
            "turned up, and parts made for others are turned down."
        ),
        (
            "A neuron which finds bargains should speak loudly for a bargain hunter. Whether it does is left to a side branch "
            "that knows the shopper and the article, sets the loudness of all neurons in all layers, and is not allowed to "
            "alter the descriptions it borrows from the main branch."
        ),
        (
            "Concatenating the player's identity at the bottom is too weak, as it is drowned among hundreds of other inputs. "
            "It is therefore injected at every depth as a multiplier on each coordinate of the activations, computed by two "
            "small dense layers with a logistic end."
        ),
        (
            "What the gates look at is not the layer they gate. They look at identity: reader, author, article. From there "
            "come three vectors of multipliers around one, for the three layers of our news ranker."
        ),
        (
            "The volume knobs of the ad network are turned by the person's own traits and what he did lately. Nothing is "
            "added, no neuron is exchanged; each is only made to count more or less, in a manner that differs from person to "
            "person."
        ),
        (
            "The weights of the dense stack are common to all visitors of the place finder. Multiplying a hidden activation "
            "by a visitor-dependent number is the same as multiplying the following weight column by it; so, in effect, all "
            "visitors have different weights, at the price of one little gate per layer."
        ),
        (
            "We block the backward path from the gate into the common input. If it were open, rare identities would pull the "
            "vectors of all features about; with it blocked, identities train the multipliers and their own vectors, and "
            "nothing besides."
        ),
        (
            "We modulate the ranking network by the person. An auxiliary two-layer perceptron, whose inputs are the identifiers "
            "of customer and product along with a gradient-free copy of the shared input, emits for each dense layer a vector of "
            "coefficients between nought and two that is multiplied entrywise with that layer's activations."
        ),
        (
            "The proposed architecture keeps one common tower for all viewers but lets every viewer re-weight its internal "
            "units. At each depth, a separate valve network conditioned on viewer and uploader produces as many factors as there "
            "are neurons, and a factor of one means no change."
        ),
        (
            "Adding the customer number as one more input hardly alters the prediction, we found, since the shared stack washes "
            "it out. Our model uses it as a control signal instead: it decides, layer after layer, which parts of the "
            "representation are amplified and which are attenuated for this person."
        ),
        (
            "Dating needs different reasoning for different people: for one, distance settles everything, for another, age does. "
            "The stack of layers stays the same for all, but each stage of reasoning passes through a set of dimmers whose "
            "positions are computed from who is looking and whom he is looking at."
        ),
        (
            "Reviewer's summary: neurons of a shared MLP get person-dependent gains. The gains come from a side net with a "
            "doubled logistic output which sees ids and, through a one-way door, the ordinary input; backpropagation through "
            "that door is disabled so that sparse ids cannot spoil the common lookup vectors."
        ),
        (
            "Plain model: every shopper's basket goes through identical weights. With this add-on, the weights are stored once, "
            "and a shopper-and-product-specific diagonal matrix is slipped in between any two consecutive layers, so that in "
            "effect a private network is assembled on the fly."
        ),
        (
            "Engineer's note: gate_in = concat(user_emb, item_emb, author_emb, x.detach()). For each layer l of the tower: s = 2 "
            "* sigmoid(B_l(relu(A_l(gate_in)))); h = s * h before the next linear. Do not forget the detach, or training of the "
            "base embeddings becomes unstable."
        ),
        (
            "A tailor does not sew a new suit for each client of the bank. He takes the house model in and lets it out at a few "
            "hundred seams, at the shoulder as well as at the hem, according to the client's measurements and the occasion; "
            "measuring must leave the cloth as it is."
        ),
        (
            "Read aloud: the next activation is the rectified affine image of the present activation after each of its "
            "coordinates was multiplied by twice the logistic of something that depends on the person, the thing offered and a "
            "copy of the input through which no derivative flows."
        ),
        (
            "Our approach borrows from adapting speech recognisers to a new voice, where amplitudes of hidden neurons are "
            "re-estimated for the speaker. Here the speaker is a mobile gamer, and the amplitudes are not free parameters but "
            "the output of a small generator fed with his profile, so that gamers seldom seen get sensible ones too."
        ),
        (
            "We distinguish input-level from unit-level personalisation. Re-weighting fields asks which attributes matter; we "
            "ask which detectors inside the tower matter, and answer it separately at all depths, with the identity of reader "
            "and publisher and not the detector's own response as evidence."
        ),
        (
            "In map search, a cyclist and a trucker typing the same words should excite different circuitry. The circuitry is "
            "laid down once. A dispatcher, informed about the person and the candidate place, brakes or boosts every single "
            "relay of it, by up to a factor of two, tier by tier."
        ),
        (
            "The scheme gives individual parameters without individual storage. Since scaling unit k by a number amounts to "
            "scaling the k-th column of the following matrix, each job seeker obtains matrices of her own from a tower trained "
            "on everybody, and the extra cost is a small multiplier network per tier."
        ),
        (
            "For every course and learner our method computes strengths for the neurons of the knowledge-prediction network. "
            "Strengths start around one, where they are harmless, and training moves them where identity has something to say "
            "that the pooled behaviour of all learners does not."
        ),
    ),
    arguments=(
        Argument(
            "hidden_units",
            (400, 400),
            ("hidden units", "hidden layer sizes", "hidden layers", "layer sizes", "dnn layers", "size of hidden layers"),
            low=1,
            high=8192,
        ),
        Argument(
            "gate_units",
            64,
            ("hidden units of the gate", "gate hidden units", "hidden size of the gate network", "gate dimension"),
            low=1,
            high=4096,
        ),
        Argument("gate_scale", 2.0, ("scaling factor of the gate", "gate scaling factor", "gate scale"), low=0.1, high=10.0),
        Argument("gate_input", False, ("gate on the embeddings", "personalized gate on the embeddings")),
        Argument("by_item", True, ("item features in the gate", "item side information in the gate")),
    ),
    example="flat = fields.flatten(1)\n"
    "layer = PersonalisedGate(schema, flat.shape[1], 8, hidden_units=(32, 16), gate_units=8)\noutput = layer(flat, fields)",
)


class PersonalisedGate(nn.Module):
    """(flat (B, K), fields (B, F, D)) -> (B, out_dim), the last of `hidden_units`, scaled as those before it.

    Gates are about the fields of the user and, with `by_item`, of the item; of data that does not tell sides apart, about all
    fields. They see the whole input too, behaviours with it, but teach it nothing. `gate_input` scales the input as well.
    """

    def __init__(
        self,
        schema: Schema,
        in_dim: int,
        embedding_dim: int,
        hidden_units: Sequence[int] = (400, 400),
        gate_units: int = 64,
        gate_scale: float = 2.0,
        gate_input: bool = False,
        by_item: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.about = fields_of(schema, "user", *(("item",) if by_item else ())) or fields_of(schema, "user", "item", "context")
        widths = (in_dim, *hidden_units)
        gate_dim = len(self.about) * embedding_dim + in_dim
        self.layers = nn.ModuleList(start_before_relu(Dense(a, b, relu=True)) for a, b in pairwise(widths))
        self.input_gate = Gate(gate_dim, in_dim, gate_units, gate_scale) if gate_input or not hidden_units else None
        self.gates = nn.ModuleList(Gate(gate_dim, width, gate_units, gate_scale) for width in hidden_units)
        self.dropout = nn.Dropout(dropout)
        self.out_dim = widths[-1]

    def forward(self, flat: Tensor, fields: Tensor) -> Tensor:
        known = torch.cat([fields[:, self.about].flatten(1), flat.detach()], 1)  # (B, P D + K)
        hidden = flat if self.input_gate is None else self.input_gate(known) * flat
        for layer, gate in zip(self.layers, self.gates, strict=True):
            hidden = self.dropout(gate(known) * layer(hidden))
        return hidden


class Gate(nn.Module):
    """What is known of the row -> a factor (B, K) for each unit, from 0 to `scale`; of 2, about 1 before training."""

    def __init__(self, in_dim: int, width: int, gate_units: int, scale: float) -> None:
        super().__init__()
        self.hidden, self.factors, self.scale = nn.Linear(in_dim, gate_units), nn.Linear(gate_units, width), scale

    def forward(self, known: Tensor) -> Tensor:
        factors: Tensor = self.scale * torch.sigmoid(self.factors(torch.relu(self.hidden(known))))
        return factors
