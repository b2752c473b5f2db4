"""Feature-wise modulation: the scenario's embedding scales and shifts a representation.

Notation: B rows, K width, S scenarios, E width of a scenario's embedding.
"""

from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

CARD = Card(
    name="film_gating",
    block="FiLMGating",
    slot="scenario",
    needs=("scenario",),
    summary="Scales and shifts each element of a representation by factors that a linear layer computes from the scenario's "
    "embedding.",
    equation="z' = (1 + g_s) * z + b_s, element-wise, [g_s, b_s] = W e_s + c with e_s the scenario's embedding"
    " (Perez et al., AAAI 2018, eq. 1 and 2; the scale as a deviation from 1 as in its section 7.2)",
    cues=(
        "feature-wise linear modulation",
        "feature-wise modulation",
        "scenario gating",
        "scenario-aware gate",
        "scenario-adaptive gate",
        "scenario-specific gating",
        "domain-aware gating",
        "domain gate",
        "gate conditioned on the scenario",
        "modulated by the scenario embedding",
        "conditioned on the domain embedding",
        "scale and shift generated from the scenario",
        "scenario embedding to generate weights",
        "scenario-aware modulation",
        "personalized gate with domain features",
        "adapt the representation to the scenario",
        "scenario-conditioned scaling",
    ),
    descriptions=(
        "The scenario's embedding produces a scale and a shift for each element of the shared representation.",
        "A gate that is computed from domain features strengthens or weakens the elements of the hidden vector.",
        "The shared network is adapted to each scenario by modulating its representation with scenario-conditioned factors.",
        "A conditioning network takes the indicator of the scenario and outputs element-wise multiplicative and additive terms.",
        "Information is transferred to a business domain selectively by a gate that depends on the domain.",
        "Element-wise affine transformations that depend on the page or channel let one model serve all of them.",
        (
            "From the domain embedding a small network generates a scale vector and a shift vector, which modulate the hidden "
            "representation element-wise. The backbone is shared by all domains, and domain differences enter only through "
            "these affine factors."
        ),
        (
            "We condition the shared network on the scenario by feature-wise affine modulation: every hidden unit is multiplied "
            "by a coefficient and offset by a bias, both of which are outputs of a generator fed with scenario features."
        ),
        (
            "Scenario-aware parameters gamma and beta are produced from the scenario id and context by a lightweight "
            "hyper-network, and applied to the sample representation by element-wise multiplication and addition, which adapts "
            "one model to many scenarios at negligible cost."
        ),
        (
            "Instead of separate towers for every domain, domain information dynamically rescales and translates the shared "
            "representation, dimension by dimension. No statistics of the batch are involved; the modulation depends on the "
            "domain features alone."
        ),
        (
            "The page on which a hotel appears decides how each coordinate of the row's code is stretched and moved. Stretch "
            "and move are computed by a tiny net that reads nothing but the page's own vector, while all else is common to all "
            "pages."
        ),
        (
            "Given a market code, two linear maps yield as many multipliers and as many offsets as the hidden layer has units. "
            "We multiply, we add, and go on with the common layers, so that one body behaves differently in every market."
        ),
        (
            "Whether a track is offered on the home screen or in search alters what matters about it. Our model turns knobs: "
            "one gain and one offset per coordinate, set by a function of the channel, applied to the common code of listener "
            "and track."
        ),
        (
            "Keeping a network per branch of the bank is wasteful. We keep one, and let the branch's description generate an "
            "element-wise correction, first by multiplication with a generated vector, then by addition of another, before the "
            "final layers."
        ),
        (
            "A context vector for the distribution channel is sent through a perceptron whose output is cut in two halves. The "
            "first half multiplies the latent factors coordinate by coordinate, the second half is added, and the result is "
            "specific to that channel."
        ),
        (
            "The authors let the surface where the news is displayed act as a controller. It emits amplification factors and "
            "displacements for all dimensions of the joint vector, and the controlled vector then enters layers which are "
            "unaware of the surface."
        ),
        (
            "Not the row as a whole but only the identity of its region determines the factors: gains that strengthen or weaken "
            "each latent dimension and constants that displace it. Regions with similar vectors get similar corrections, so "
            "small ones profit from big ones."
        ),
        (
            "Players on phones and on consoles are served by the same weights. A conditioning unit transforms the platform's "
            "embedding into a per-neuron gain and a per-neuron bias, and each neuron's value is replaced by gain times value "
            "plus bias."
        ),
        (
            "We adapt to advertisers' domains with a cheap intermediate operation, y = a * h + b, where h comes from shared "
            "layers and the vectors a and b come from the domain through a learned function. Nothing is averaged over samples, "
            "and no layer is duplicated."
        ),
        (
            "Adaptation to each city happens by colouring a neutral representation: for every dimension, the city's vector "
            "dictates through learned maps by how much it is turned up or down and by how much it is displaced, and a common "
            "scorer reads the coloured representation."
        ),
        (
            "From the code of the page on which the row was displayed, two vectors are produced, a multiplier and an offset. "
            "The hidden vector is multiplied coordinate by coordinate by the first and the second is added; so one network "
            "adjusts to each page by stretching and shifting its neurons."
        ),
        (
            "Think of the market as setting gain and bias knobs on every neuron of a common amplifier. A small net reads only "
            "the market identifier and turns it into knob positions, new value equals gain times old value plus bias, and all "
            "else in the amplifier is the same in all markets."
        ),
        (
            "Recipe: look up the vector of the channel; two linear maps deliver gamma and beta as long as the representation; "
            "output equals gamma times representation elementwise plus beta; continue with the common layers. No averages or "
            "variances of the batch are taken."
        ),
        (
            "A separate model per country would starve small countries, a single one would ignore their differences. We keep a "
            "single one and let the country modulate it: elementwise factors and increments, generated from the country's "
            "embedding, are applied to the joint representation so that it takes on a country-specific form."
        ),
        (
            "What steers the modulation is the traffic source alone, not the whole example. Its code passes a light generator "
            "whose outputs rescale each coordinate of the shared features, perhaps with a sigmoid doubled to lie between zero "
            "and two, and displace it, before the joint tower scores the ad."
        ),
        (
            "Tersely: h' equals a(d) times h plus b(d), coordinatewise, where d is the domain of the sample and a, b are small "
            "learned functions of d's vector. Setting a to one and b to zero recovers the domain-blind predictor."
        ),
        (
            "Home feed, search page and mail are served by one music model. Each has a learned conditioning signal from which "
            "affine coefficients per hidden unit are calculated, and the shared activations are transformed by those "
            "coefficients, an inexpensive personalisation of the network to the place where it acts."
        ),
        (
            "The same latent pattern may mean a lot in the app and little on the website. Hence, in our bank model the "
            "app-or-website indicator generates, by a side layer, an amplification and an additive correction for each latent "
            "coordinate; the shared stack beneath and above needs no copies, and no centring on statistics takes place."
        ),
        (
            "The page slot in which an ad appears decides how the common layer is read. A small network takes the code of the "
            "slot and produces two vectors, both as long as the layer is wide. The layer's output is multiplied by the first, "
            "coordinate by coordinate, and the second is then added. Everything else is the same for all the nineteen slots, "
            "which hence can be trained in a single run."
        ),
        (
            "The same layers serve the book shop, the rental desk and the audio corner. What differs is a pair of vectors, "
            "worked out by a small layer from the name of the place alone: the hidden vector is multiplied by the first of them "
            "coordinate for coordinate, and the second is added. In this way the place may strengthen, mute or displace each "
            "hidden signal."
        ),
    ),
    arguments=(
        Argument(
            "scenario_dim",
            16,
            (
                "scenario embedding dimension",
                "scenario embedding size",
                "dimension of the scenario embedding",
                "domain embedding size",
            ),
            low=1,
            high=1024,
        ),
    ),
    example="layer = FiLMGating(flat.shape[1], n_scenarios=5, scenario_dim=4)\noutput = layer(flat, scenario)",
)


class FiLMGating(nn.Module):
    """(x (B, K), scenario ids (B,)) -> (B, K). Before training all scenarios are scaled by about 1 and shifted by about 0."""

    def __init__(self, in_dim: int, n_scenarios: int, scenario_dim: int = 16) -> None:
        super().__init__()
        self.table = nn.Embedding(n_scenarios, scenario_dim)
        nn.init.normal_(self.table.weight, std=0.1)
        self.modulation = nn.Linear(scenario_dim, 2 * in_dim)
        nn.init.zeros_(self.modulation.bias)
        self.out_dim = in_dim

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        scale, shift = self.modulation(self.table(scenario)).chunk(2, 1)  # each (B, K)
        modulated: Tensor = (1 + scale) * x + shift  # (B, K)
        return modulated
