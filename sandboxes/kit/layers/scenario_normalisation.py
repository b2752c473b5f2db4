"""Scenario normalisation: moments, scale and shift of each scenario's own. Notation: B rows, K width, S scenarios."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card

EPSILON = 1e-5
LEAST_ROWS = 2  # of a scenario in a batch, for its moments to mean anything

CARD = Card(
    name="scenario_normalisation",
    block="ScenarioNormalisation",
    slot="scenario",
    needs=("scenario",),
    summary="Normalises a representation with the statistics of the row's own scenario, and scales and shifts it by shared "
    "and scenario-specific parameters.",
    equation="z' = (g * g_s) * (z - E_s) / sqrt(Var_s + eps) + (b + b_s), element-wise; E_s and Var_s over the batch's rows of"
    " scenario s in training, moving averages of them at prediction (Sheng et al., CIKM 2021, eq. 3 to 5)",
    cues=(
        "partitioned normalization",
        "scenario-specific normalization",
        "domain-specific normalization",
        "domain-specific batch normalization",
        "scenario-aware normalization",
        "normalization for each domain",
        "normalization for each scenario",
        "privatize normalization statistics and parameters for different domains",
        "statistics of each domain",
        "domain-specific scale and bias",
        "private scale and shift for each scenario",
        "separate batch normalization for each scenario",
        "star topology",
        "global scale multiplied by the domain-specific scale",
        "different domains have different data distributions",
    ),
    descriptions=(
        "Each scenario is normalised with its own mean and variance, since samples are only identically distributed inside one.",
        "Batch normalisation over mixed domains blurs their differences, so statistics are kept for each domain separately.",
        "A global scale is multiplied by a scenario-specific scale, and a global bias is added to a scenario-specific bias.",
        "The moments of the mini-batch are computed per domain in training, and moving averages of each domain "
        "are used at test time.",
        "Rows of different business scenarios are brought to one scale before they enter the shared network.",
        "Normalisation parameters are private to each market while the layers that follow are common.",
    ),
    arguments=(
        Argument(
            "momentum",
            0.1,
            ("momentum of the moving average", "momentum of the moving statistics", "moving average momentum"),
            low=0.0001,
            high=1,
        ),
    ),
    example="layer = ScenarioNormalisation(flat.shape[1], n_scenarios=5)\noutput = layer(flat, scenario)",
)


class ScenarioNormalisation(nn.Module):
    """(x (B, K), scenario ids (B,)) -> (B, K).

    In training, a scenario with fewer than two rows in the batch is normalised by its moving moments; one that was never seen,
    then or at prediction, by those of all rows. `momentum` is the weight of the newest batch; the first batches of a scenario
    are averaged plainly.
    """

    mean: Tensor
    variance: Tensor
    updates: Tensor

    def __init__(self, in_dim: int, n_scenarios: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.n_scenarios, self.momentum, self.out_dim = n_scenarios, momentum, in_dim
        self.scale, self.shift = nn.Parameter(torch.ones(in_dim)), nn.Parameter(torch.zeros(in_dim))  # (K,)
        self.scenario_scale = nn.Parameter(torch.ones(n_scenarios, in_dim))  # (S, K)
        self.scenario_shift = nn.Parameter(torch.zeros(n_scenarios, in_dim))  # (S, K)
        # Moving moments; the last row is that of all scenarios together.
        self.register_buffer("mean", torch.zeros(n_scenarios + 1, in_dim))  # (S + 1, K)
        self.register_buffer("variance", torch.ones(n_scenarios + 1, in_dim))  # (S + 1, K)
        self.register_buffer("updates", torch.zeros(n_scenarios + 1))  # (S + 1,)

    def forward(self, x: Tensor, scenario: Tensor) -> Tensor:
        mean, variance = self._moving(scenario)  # each (B, K)
        if self.training:
            counts, batch_mean, batch_variance = self._of_batch(x, scenario)
            self._update(counts, batch_mean.detach(), batch_variance.detach())
            enough = (counts >= LEAST_ROWS)[scenario].unsqueeze(1)  # (B, 1)
            mean = torch.where(enough, batch_mean[scenario], mean)
            variance = torch.where(enough, batch_variance[scenario], variance)
        normed = (x - mean) * torch.rsqrt(variance + EPSILON)  # (B, K)
        return self.scale * self.scenario_scale[scenario] * normed + self.shift + self.scenario_shift[scenario]

    def _moving(self, scenario: Tensor) -> tuple[Tensor, Tensor]:
        """The moving moments for each row, each (B, K)."""
        known = torch.where(self.updates[scenario] > 0, scenario, self.n_scenarios)  # (B,)
        return self.mean[known], self.variance[known]

    def _of_batch(self, x: Tensor, scenario: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (S + 1,), mean and variance (S + 1, K) of each scenario in the batch; zeros where it has no rows."""
        member = functional.one_hot(scenario, self.n_scenarios).to(x.dtype)  # (B, S)
        member = functional.pad(member, (0, 1), value=1.0)  # (B, S + 1)
        counts = member.sum(0)  # (S + 1,)
        share = (member / counts.clamp(min=1)).T  # (S + 1, B)
        mean = share @ x  # (S + 1, K)
        own = share[:-1] @ (x - mean[scenario]).square()  # (S, K)
        everyone = share[-1:] @ (x - mean[-1]).square()  # (1, K)
        return counts, mean, torch.cat([own, everyone])

    def _update(self, counts: Tensor, mean: Tensor, variance: Tensor) -> None:
        """Moves the moments of scenarios with enough rows; a mean that moves adds to the variance."""
        enough = counts >= LEAST_ROWS  # (S + 1,)
        self.updates += enough
        rate = torch.clamp(1 / self.updates.clamp(min=1), min=self.momentum)  # (S + 1,)
        rate = torch.where(enough, rate, torch.zeros_like(rate)).unsqueeze(1)  # (S + 1, 1)
        moved = mean - self.mean  # (S + 1, K)
        self.variance.copy_((1 - rate) * self.variance + rate * variance + rate * (1 - rate) * moved.square())
        self.mean.add_(rate * moved)
