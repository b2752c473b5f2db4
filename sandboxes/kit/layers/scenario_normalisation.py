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
        (
            "Each domain keeps its own normalisation statistics: activations are standardised with the mean and variance of the "
            "sample's domain and then transformed with a scale and bias made of a shared part and a domain-specific part."
        ),
        (
            "Since samples of different scenarios are not identically distributed, ordinary batch normalisation with global "
            "moments is inappropriate. We compute moving moments separately per scenario, and learn individual scale and shift "
            "parameters for each of them."
        ),
        (
            "Mini-batches are organised by domain so that the batch mean and variance are those of a single domain; at "
            "inference every domain uses its own accumulated statistics, and the affine parameters are also specific to the "
            "domain."
        ),
        (
            "We replace the standard normalisation layer by a partitioned one, in which the data of every scenario are whitened "
            "with that scenario's running mean and standard deviation before domain-wise gamma and beta are applied."
        ),
        (
            "Rows from the app and rows from the website have different averages and spreads. Before the dense layers, we "
            "subtract from each row the average of its own source and divide by its own source's spread, then stretch and move "
            "with numbers stored for that source."
        ),
        (
            "A common running average over all markets describes none of them. The layer therefore keeps a table of centres and "
            "widths, one line per market, looks up the line of the row's market, and standardises by it, followed by "
            "market-owned gain and offset."
        ),
        (
            "Hidden values for music on the home page and music in search are centred and scaled by what is typical on the "
            "respective page. The typical values are gathered during learning for each page apart and are frozen for serving."
        ),
        (
            "For each bank branch we track how its customers' activations are distributed. A customer is then expressed in "
            "standard deviations from the branch's mean, so branches of very unlike clientele become comparable, and learned "
            "multipliers and biases of the branch restore what is useful."
        ),
        (
            "The moments used for standardising are not pooled. Samples are grouped by channel, first and second moments are "
            "estimated within each group, and the standardised activations pass a per-channel affine map combined with a global "
            "one."
        ),
        (
            "Instead of letting a small network invent factors, we measure them: the mean and the dispersion of each surface's "
            "news impressions are estimated from the data of that surface, used to standardise its activations, and "
            "complemented by trainable gain and bias stored for the surface."
        ),
        (
            "When traffic of all regions is thrown into one batch, large regions dictate the statistics and small ones are "
            "standardised wrongly. Our layer separates the accounts: each region is centred and rescaled by its own figures, "
            "both in learning and in serving."
        ),
        (
            "Console players spend more than phone players, which shifts every neuron. We remove the shift at its source by "
            "zero-mean, unit-variance transformation within platform, and allow the platform to have an own slope and intercept "
            "afterwards."
        ),
        (
            "In training, the layer consults the domain indicator of the advert request, takes the mean and variance of "
            "requests with that same indicator, standardises, and updates only this domain's running values. In serving, the "
            "stored values of the indicated domain are used."
        ),
        (
            "Cities differ in the distribution of visit features. We line up the distributions by standardising within each "
            "city: subtract the city's mean, divide by its deviation, and apply its own learned scale and offset in addition to "
            "the ones all cities have in common."
        ),
        (
            "Each page keeps its own running mean and variance of every input coordinate, gathered only from the rows belonging "
            "to that page. A row is centred and divided by the figures of its page and then stretched and moved by factors, "
            "partly common and partly that page's own."
        ),
        (
            "Marks from strict and lenient schools must be standardised school by school before comparison. Likewise, we "
            "subtract from each activation the average of its own market and divide by the spread of that market, and then "
            "apply a market-owned multiplier and offset; pooled statistics over all markets are never used."
        ),
        (
            "Recipe: group the mini-batch by channel; in every group compute the mean and variance per coordinate; standardise "
            "the group's rows with these. Then multiply by common gain times channel gain and add common bias plus channel "
            "bias; keep moving averages per channel for serving."
        ),
        (
            "Batch standardisation supposes that all the rows stem from one distribution, which fails if home page and checkout "
            "page are mixed. We therefore maintain distinct moments for each page, and distinct affine coefficients, so that "
            "each page's inputs reach the network with zero average and unit spread by their own standards."
        ),
        (
            "What the country contributes here is above all its statistics: the first and second moment of features estimated "
            "on its own traffic, used for whitening its rows in training and in production. A learned rescaling tied to the "
            "country, combined with a global one, completes the layer."
        ),
        (
            "Tersely: for row x of domain p, z equals (x minus mu_p) over the square root of (var_p plus eps), output equals (g "
            "times g_p) times z plus (b plus b_p). mu_p and var_p are accumulated over rows of p exclusively."
        ),
        (
            "In our game shop, console and phone players differ widely in the level and range of nearly every signal. The layer "
            "ahead of the common network evens this out by normalising each sample against the peers from its platform only, "
            "with platform-private scale and offset parameters afterwards."
        ),
        (
            "A hotel displayed in the mail campaign is judged relative to mail rows, one displayed in search relative to search "
            "rows. To this end, the standardising layer is replicated by place of display, each replica with private running "
            "averages, deviations and trainable affine terms, while the tower it feeds is a single one."
        ),
        (
            "Activations on the checkout page lie far from those on the recipe page, and pooling them in one average harms "
            "both. We hence record mean and variance for each page apart; a row is centred and divided by the figures of the "
            "page it stems from. Then it is stretched by a common trained vector multiplied with one owned by the page, and "
            "moved by the sum of a common and an own offset."
        ),
        (
            "Records from the lobby, the arena and the shop of the game have different averages, and to centre them all with "
            "one average is misleading. We subtract from every hidden signal the average noted for the place where the record "
            "arose, divide by the deviation noted for that place, and then stretch and displace by two constants which also "
            "belong to this place only. The running figures of each place are kept for live use."
        ),
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
