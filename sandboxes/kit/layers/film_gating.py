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
