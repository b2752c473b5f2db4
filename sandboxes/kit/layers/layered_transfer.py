"""Layered transfer: at every layer gates choose what passes from a network of all scenarios into the scenario's own network.

Notation: B rows, K width, S scenarios.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense, start_before_relu
from sandboxes.kit.layers.by_scenario import by_scenario

CARD = Card(
    name="layered_transfer",
    block="LayeredTransfer",
    slot="scenario",
    needs=("scenario",),
    summary="Runs a network of all scenarios beside one of the row's own scenario; after every layer an adaptive gate selects "
    "elements of the former, and an update gate lets them into the latter.",
    equation="g^l = relu(W g^{l-1} + b); h = relu(W_s s^{l-1} + b_s); r = sigmoid(A [g^l, h] + a_s), u = sigmoid(U [g^l, "
    "h] + u_s); c = relu(C [r * g^l, h] + c_0); s^l = (1 - u) * h + u * c (the two gates of Cho et al., EMNLP "
    "2014, eq. 5 to 8, between layers instead of moments as Zhang et al., CIKM 2022, scenario-adaptive transfer, "
    "have them)",
    cues=(
        "layer-wise gated transfer",
        "multi-layer transfer",
        "scenario-adaptive transfer",
        "scenario adaptive transfer",
        "scenario-adaptive gate units",
        "adaptive gate and update gate",
        "update gate controls the transferred information",
        "whole-scenario network",
        "from the whole scenario to the individual scenario",
        "global network and scenario-specific network",
        "global shared network and scenario-specific network",
        "fine-grained information transfer",
        "fine-grained and decoupled transfer",
        "transfer information layer by layer",
        "layer-by-layer knowledge transfer between networks",
        "information transfer control among scenarios",
    ),
    descriptions=(
        "After every layer two gates decide which elements of the global network's state enter the scenario's own network.",
        "A network over all scenarios and a network of each scenario run side by side, and the first feeds the second at each "
        "depth.",
        "An adaptive gate filters the whole-scenario information, and an update gate controls how far it replaces the scenario's "
        "own.",
        "Information flows only from the shared network to the individual one, so that scenarios do not disturb each other.",
        "Transfer takes place at several depths, element by element, and under the control of the scenario.",
        "The scenario's state is updated at each layer as a recurrent unit would be, with the global state as its input.",
        (
            "We stack several transfer layers. In each, the hidden state of the whole-scenario network is first filtered by "
            "an adaptive gate and fused with the state of the individual scenario into a candidate; then an update gate "
            "interpolates between the scenario's previous state and the candidate."
        ),
        (
            "To control the transfer among scenarios at a fine granularity, gate units conditioned on both the global and the "
            "scenario-specific hidden vectors select the useful dimensions of the former at each layer, instead of sharing "
            "the bottom layers or mixing the two outputs once at the top."
        ),
        (
            "The global tower is trained by samples of all domains, and each domain tower by its own. They are coupled at every "
            "layer: useful signals of the global tower are picked by one gate and admitted by another, and nothing flows back "
            "into the global tower."
        ),
        (
            "Unlike models that decouple parameters but share representations, our multi-level module passes knowledge from "
            "the entire space to a single scenario repeatedly, which gives low-level and high-level features separate chances "
            "to be transferred."
        ),
        (
            "Two lifts climb the same building. The big one carries what all branches of the bank have learnt, the small one "
            "what this branch knows. On every floor a clerk picks parcels from the big lift, wraps them together with what lies "
            "in the small one, and a second clerk says for each shelf whether the wrapped parcel shall replace its content."
        ),
        (
            "Pseudo-code for a hotel request from country s: at depth l compute the world's activations and the country's; "
            "multiply the world's by a first logistic mask; combine with the country's by a dense layer; blend the result with "
            "the country's activations by a second logistic mask; go to depth l + 1 with both streams."
        ),
        (
            "A feed page with few readers cannot train a deep net. It gets one nonetheless, because each of its levels is "
            "topped up by the matching level of the net that all pages train. Which coordinates are taken over, and in what "
            "strength, is worked out twice per level from what both nets say of the impression."
        ),
        (
            "In formulas: s is the market's state, g everybody's. Filter f1(g, s) times g; candidate from that and s; s becomes "
            "(1 - f2) s plus f2 times candidate. Do it three times with weights of their own. Only s is read out in the end."
        ),
        (
            "Our games are published on nine storefronts. The storefront's branch listens to the common branch at every stage "
            "of processing, first by muting channels of the common signal that mislead it, second by deciding how much of the "
            "remixed signal overwrites its own. The common branch does not listen to any storefront."
        ),
        (
            "Mixing expert opinions once, just before the output, comes too late: early patterns, such as which tags matter, are "
            "by then buried. We therefore import from the collective model at every stage of abstraction, coordinate by "
            "coordinate, with a memory-like cell governing what is forgotten of the channel's own code."
        ),
        (
            "Each city has its private stack of layers for ranking restaurants, and there is a nationwide stack. Between stories "
            "l of the two, a cell with two valves works. The first valve looks at both and dims nationwide features that do not "
            "fit the city; the second settles how much of the mixture settles in the city's stack."
        ),
        (
            "The apprentice copies from the master at every step of the recipe, not merely the finished dish. At each step he "
            "disregards what would not suit his own guests, tries a mixture, and then adopts it partly; the master never looks "
            "at the apprentice's pot."
        ),
        (
            "Traffic from the search box, the home page and the push message is scored by one model with a trunk for all and a "
            "trunk for each. What the former passes to the latter goes through a pair of learned filters per level, one reset "
            "and one update, as in gated recurrence along depth."
        ),
        (
            "Music surfaces differ, yet share listeners. The surface-bound encoder is deep and repeatedly refreshed: after each "
            "of its transformations it receives a selection from the same level of the surface-independent encoder, in "
            "per-dimension doses that depend on the surface and on the track being scored."
        ),
        (
            "We couple a trunk fed by samples of every market with a private trunk for each market, story by story. At each "
            "story a sigmoid mask looks at both hidden vectors and lets pass suitable coordinates of the common one; a second "
            "mask fixes what portion of the private vector gives way to the mixture of both."
        ),
        (
            "Our model moves knowledge from the collective to the individual repeatedly along depth. The collective stream "
            "evolves undisturbed, the individual stream of the current channel takes from it what a reset-like valve admits, "
            "forms a tentative state, and interpolates between tentative and present state by a write-like valve."
        ),
        (
            "The proposed unit resembles a gated recurrent cell unrolled over layers: its memory is the state of the "
            "country-specific network, its input at each step is the state of the cross-country network at equal depth. Both "
            "switches are vectors, so dimensions are treated one by one."
        ),
        (
            "In contrast to architectures in which shared and specific experts are summed under softmax weights, we preserve "
            "two complete networks and connect homologous layers by one-directional bridges. A bridge selects, remixes, and "
            "then partly overwrites the specific activations; the shared activations never receive anything in return."
        ),
        (
            "To prevent harmful import, we equip each level with element-wise controls. The first decides which facets of "
            "general knowledge are relevant for the surface at hand; the second decides how strongly the facet-filtered, "
            "recombined knowledge should alter the surface's own features."
        ),
        (
            "We train on the union of all storefronts. A record passes through the general network and, simultaneously, "
            "through the weights reserved for its storefront; after each hidden layer the latter is refreshed from the "
            "former. Only the refreshed private state is handed to the output layer."
        ),
        (
            "As low layers encode attributes and high layers encode intentions, what is worth borrowing differs with depth. "
            "Accordingly, our network borrows after each layer rather than only at the bottom or the top, with separately "
            "learned two-stage control at each point of borrowing."
        ),
        (
            "Engineer's summary: two MLPs in lockstep, global and per-surface. Between steps: r = sigmoid(both), u = "
            "sigmoid(both), cand = relu(W [r * g, s]), s = s + u * (cand - s). g is left alone. Surfaces with little traffic "
            "end up with u near one, big ones with u near nought."
        ),
        (
            "With a shared bottom, every city gets the same low-level features whether they suit or not. With two parallel "
            "towers and valves at all floors, a city can take restaurant-category patterns from the national tower on floor "
            "one, refuse its price patterns on floor two, and rely on its own thereafter."
        ),
        (
            "A local newspaper prints beside a national agency. On every page an editor strikes out agency lines of no "
            "interest here, a writer merges what remains with local copy, and a chief editor sets, column by column, how much "
            "of the merged text replaces the local one. The agency never reprints the local paper."
        ),
        (
            "Reviewer's summary: multi-market click model with deep, gated, asymmetric bridging. The novelty lies in where "
            "transfer happens (each hidden level) and how (filter, fuse, interpolate, all per coordinate and conditioned on "
            "both streams), not in how many towers there are."
        ),
        (
            "State of branch = (1 - u) times state of branch + u times relu of M [r times state of all; state of branch], "
            "where u and r lie between nought and one and are computed from both states. This is done at depth one, two and "
            "three of the loan model, with all's state computed independently."
        ),
        (
            "Streaming on television and on the phone share viewers but not habits. The phone's network keeps its own thread "
            "of computation and dips into the household thread at each layer, choosing neuron by neuron what to take and how "
            "far to let it displace what it had; the household thread learns from everything."
        ),
        (
            "A student sits in the national lecture and in a tutorial for her own school. After each chapter she underlines "
            "what applies to her school, rewrites it together with tutorial notes, and replaces some of these notes by the "
            "rewritten ones. After the last chapter, the exam is taken from the notes alone."
        ),
    ),
    arguments=(
        Argument(
            "n_layers",
            2,
            ("transfer layers", "number of transfer layers", "layers of the transfer module", "depth of the transfer module"),
            low=1,
            high=8,
        ),
    ),
    example="flat = fields.flatten(1)\n"
    "layer = LayeredTransfer(flat.shape[1], n_scenarios=5, n_layers=3)\noutput = layer(flat, scenario)",
)


class LayeredTransfer(nn.Module):
    """(x (B, K), scenario ids (B,)) -> (B, K), the state of the row's own scenario after `n_layers` layers."""

    def __init__(self, in_dim: int, n_scenarios: int, n_layers: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransferLayer(in_dim, n_scenarios) for _ in range(n_layers))
        self.out_dim = in_dim

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        whole, own = x, x
        for layer in self.layers:
            whole, own = layer(whole, own, scenario)  # each (B, K)
        return own


class TransferLayer(nn.Module):
    """(whole (B, K), own (B, K), scenario ids (B,)) -> the same two states one layer on. Holds (S + 7) K^2 weights.

    The network of all scenarios hears nothing of the others. All scenarios start from its weights.
    """

    def __init__(self, width: int, n_scenarios: int) -> None:
        super().__init__()
        self.whole = start_before_relu(Dense(width, width, relu=True))
        self.own_weight = nn.Parameter(self.whole.weight.detach().repeat(n_scenarios, 1, 1))  # (S, K, K)
        self.own_bias = nn.Parameter(torch.zeros(n_scenarios, width))  # (S, K)
        self.gates = nn.Linear(2 * width, 2 * width, bias=False)
        self.gate_bias = nn.Parameter(torch.zeros(n_scenarios, 2 * width))  # (S, 2 K)
        self.candidate = start_before_relu(Dense(2 * width, width, relu=True))

    def forward(self, whole: Tensor, own: Tensor, scenario: Tensor) -> tuple[Tensor, Tensor]:
        weights, biases = self.own_weight.unbind(), self.own_bias.unbind()
        whole = self.whole(whole)  # (B, K)
        own = by_scenario(own, scenario, lambda rows, s: functional.linear(rows, weights[s], biases[s])).relu()  # (B, K)
        gates = torch.sigmoid(self.gates(torch.cat([whole, own], 1)) + self.gate_bias[scenario])  # (B, 2 K)
        adaptive, update = gates.chunk(2, 1)  # each (B, K)
        candidate = self.candidate(torch.cat([adaptive * whole, own], 1))  # (B, K)
        return whole, own + update * (candidate - own)
