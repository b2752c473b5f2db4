"""Star topology: layers whose weights are shared ones times the scenario's own, element by element.

Notation: B rows, K input width, N output width, S scenarios.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.kernels.dense import Dense, start_before_relu
from sandboxes.kit.layers.by_scenario import by_scenario

CARD = Card(
    name="star_topology",
    block="StarTopology",
    slot="scenario",
    needs=("scenario",),
    summary="Passes a representation through layers whose weights are the element-wise product of shared weights and the "
    "scenario's own, and whose biases add.",
    equation="z' = relu((W * W_s) z + b + b_s), * element-wise, for each layer (Sheng et al., CIKM 2021, star topology network)",
    cues=(
        "star topology",
        "star-shaped topology",
        "star topology fully-connected network",
        "centered parameters shared by all domains",
        "shared centered parameters",
        "shared parameters and domain-specific parameters",
        "element-wise product of the shared weights and the domain-specific weights",
        "element-wise product of the shared and the scenario-specific weight matrix",
        "domain-specific weights multiplied by the shared weights",
        "weights of each domain multiplied with shared weights",
        "one set of weights for each domain and one shared by all",
        "factorized domain weights",
        "domain-specific weight matrices",
        "scenario-specific weight matrices",
    ),
    descriptions=(
        "Each domain's weight matrix is the element-wise product of a shared matrix and a matrix of its own.",
        "A star-shaped network has shared weights at its centre and one set of weights for each scenario around it.",
        "The bias of a scenario's layer is the shared bias plus the scenario's own bias.",
        (
            "Shared parameters learn from the samples of all domains, and domain-specific parameters only from those of their "
            "domain."
        ),
        "Every layer of the fully connected network is adapted to the domain by multiplying its weights, not its activations.",
        "One model serves many domains, with the final weights of each composed of common and private ones.",
        (
            "The topology consists of shared centred parameters and several sets of domain-specific parameters. For a sample of "
            "domain p, the weights of a fully connected layer are obtained as the element-wise product of the shared weights "
            "and those of domain p, and its bias as the sum of both."
        ),
        (
            "To exploit commonalities and keep distinctions among business domains, the network of each domain is composed of "
            "two factors of equal shape: a matrix updated by all samples and a matrix updated by that domain's samples alone, "
            "multiplied entry by entry before the layer is applied."
        ),
        (
            "We propose a multi-domain model whose parameters are factorised layer by layer into globally shared and "
            "scenario-specific weights. Their Hadamard product forms the layer used for a scenario, which lets a single model "
            "serve dozens of scenarios at little extra cost at inference."
        ),
        (
            "Instead of separate towers above a shared bottom, all layers are shared and specific at the same time: W* = W_p * "
            "W and b* = b_p + b, where W and b are common to the domains and W_p and b_p belong to domain p."
        ),
        (
            "The organ has one keyboard and several registers. For a request from a given shop window, the strength with which "
            "every key drives every pipe is the strength engraved in the instrument multiplied by the one set in the window's "
            "register; the wind added to a pipe is the sum of both."
        ),
        (
            "Home screen, search and radio use one music network in three tunings. A tuning is a full table of multipliers, one "
            "for each connection, which belongs to the surface alone; the table of basic strengths belongs to all. Multiply the "
            "tables position by position and run the layer."
        ),
        (
            "Take W, common to all countries, and M_c, of the same size, for country c. The layer computes relu((W * M_c) x + b "
            "+ m_c), with * taken entry by entry. Gradients of a row reach W and b always, and M and m of its own country only."
        ),
        (
            "What differs between the app's pages is neither input nor activation but the wiring itself. For rows of page p "
            "each coefficient of the dense layer is the common coefficient times one kept for p. No gate, no generated vector "
            "and no normalisation is involved."
        ),
        (
            "At serving time the matrices of a market are multiplied out once and stored, so a request costs as much as in a "
            "plain multilayer perceptron. In training, the multiplied-out matrix is recomputed from its common and its "
            "market-owned factor in each step."
        ),
        (
            "The ad platform's channels are spokes of a wheel. The hub holds coefficients on which everything turns; along a "
            "spoke lie as many coefficients again, which modify those of the hub one for one. A request from a channel passes "
            "through the hub's layer as modified by its spoke."
        ),
        (
            "Small game regions have too few installs to train layers of their own. Their layers are hence written as the "
            "common layer with every weight rescaled individually by a regional weight: what is not learnt from the region "
            "keeps factor one and remains common."
        ),
        (
            "One might train a perceptron per department of the shop or a single one for the whole of it. We take both at once, "
            "and merge them weight by weight through multiplication and offset by offset through addition. The merged "
            "perceptron of the department scores its own rows."
        ),
        (
            "Each news edition has private parameters as numerous as the shared ones. They don't form a second network beside "
            "the first: private weight (i, j) multiplies shared weight (i, j), and the edition's articles are scored with the "
            "resulting matrix, layer after layer."
        ),
        (
            "Recipe for layer l and scenario s: look up the scenario's matrix; form the Hadamard product with the global "
            "matrix; apply it to the representation; add the global and the scenario's bias; rectify. Repeat with the next "
            "layer."
        ),
        (
            "The same travel planner is cast in seven moulds, one for each brand. The metal is common; a mould thins or "
            "thickens the cast at each point separately. A booking of a brand runs through the cast from its mould, and only "
            "that mould and the metal are corrected by its outcome."
        ),
        (
            "Compared with a mixture of experts no weighing between sub-networks takes place: the scenario identifier selects, "
            "exactly, which set of parameters is combined with the central one, and the combination is the coordinatewise "
            "product of weight matrices."
        ),
        (
            "The credit scores for cards, loans and accounts come from one stack of layers whose weights are products. The "
            "first factor is estimated on all customers, the second on those of the product line; intercepts are estimated as "
            "sums in the same manner."
        ),
        (
            "A common skeleton of connections is flexed for each place: the place's own coefficient on every connection "
            "amplifies, silences or inverts the common one. Learning about connections pools over places, learning about "
            "flexing doesn't."
        ),
    ),
    arguments=(Argument("n_layers", 1, ("star layers", "number of star layers", "layers of the star network"), low=1, high=8),),
    example="flat = fields.flatten(1)\n"
    "layer = StarTopology(flat.shape[1], n_scenarios=5, n_layers=2)\noutput = layer(flat, scenario)",
)


class StarTopology(nn.Module):
    """(x (B, K), scenario ids (B,)) -> (B, K): `n_layers` layers with ReLU. Before training all scenarios are computed alike."""

    def __init__(self, in_dim: int, n_scenarios: int, n_layers: int = 1) -> None:
        super().__init__()
        self.layers = nn.ModuleList(StarLayer(in_dim, in_dim, n_scenarios) for _ in range(n_layers))
        self.out_dim = in_dim

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, scenario).relu()
        return x


class StarLayer(nn.Module):
    """(x (B, K), scenario ids (B,)) -> (B, N), before any activation. Holds (S + 1) N K weights.

    A scenario's factors are kept as deviations from 1, so that one without training rows is computed as the shared weights
    have it.
    """

    def __init__(self, in_dim: int, out_dim: int, n_scenarios: int) -> None:
        super().__init__()
        self.shared = start_before_relu(Dense(in_dim, out_dim))
        self.factor = nn.Parameter(torch.zeros(n_scenarios, out_dim, in_dim))
        self.shift = nn.Parameter(torch.zeros(n_scenarios, out_dim))

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        factors, shifts = self.factor.unbind(), self.shift.unbind()

        def of_scenario(rows: Tensor, s: int) -> Tensor:
            return functional.linear(rows, self.shared.weight * (1 + factors[s]), self.shared.bias + shifts[s])

        output: Tensor = by_scenario(x, scenario, of_scenario)
        return output
