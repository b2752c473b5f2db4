"""Scenario-specific distributions: in every scenario a field's vector is a Gaussian of its own, held to the vector all share.

Notation: B rows, F fields, D embedding width, S scenarios.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.by_scenario import by_scenario
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.layers.variational_embedding import KL_WEIGHT, divergence

CARD = Card(
    name="scenario_distributions",
    block="ScenarioDistributions",
    slot="feature",
    needs=("scenario",),
    takes=("fields", "scenario"),
    summary="Turns every field's vector into a Gaussian of the row's scenario, sampled in training and regularised to the global "
    "one.",
    equation="z_f ~ N(mu, sigma^2), mu = e_f + A_s e_f + a_sf, ln sigma = ln sigma_0 + B_s e_f + b_sf of scenario s; "
    "L = BCE + w sum_f KL(N(mu, sigma^2) || N(e_f, s_0^2)), mu alone at prediction (amortised inference of Kingma and Welling, "
    "ICLR 2014, section 3, in the hierarchy of Gelman and Hill, 2006, chapter 12, where groups share a prior)",
    cues=(
        "scenario-specific distributions",
        "domain-specific distributions",
        "scenario-specific variational",
        "domain-specific variational",
        "scenario-specific representations of users and items",
        "distribution for each user and item in each scenario",
        "a distribution per scenario",
        "probabilistic scenario-specific representations",
        "variational representation in each domain",
        "regularised by the global distribution",
        "global distribution as prior",
        "posterior of each scenario",
        "uncertainty in sparse scenarios",
    ),
    descriptions=(
        "For each scenario a separate Gaussian over the user's and the item's representation is inferred.",
        "A scenario's posterior mean departs from the shared embedding only as far as its data supports it.",
        "Scenario-specific representations are sampled in training, and their means are used for serving.",
        "The divergence from the global distribution keeps representations in sparse scenarios close to the shared ones.",
        "An inference network of the scenario maps the shared embedding to a mean and a variance.",
        "Ids that are rare in a scenario are represented there with large uncertainty, near their global representation.",
        (
            "Shared bottom embeddings cannot express that a user behaves differently in each scenario. We generate for every "
            "user and item a scenario-specific distribution by variational inference, with parameters given by scenario-specific"
            " encoders, and sample the representation from it."
        ),
        (
            "To prevent overfitting where a scenario has few records, the posterior in that scenario is regularised by a prior "
            "centred at the representation learned from all scenarios."
        ),
        (
            "Our module can be inserted between the embedding layer and any multi-scenario network. It replaces the common "
            "embedding by draws from N(mu_s, sigma_s), where both parameters depend on the scenario of the sample, and adds a "
            "Kullback-Leibler term to the loss."
        ),
        (
            "Unlike gates or normalisations that modulate a deterministic vector by the domain, we treat the domain's version "
            "of the vector as a random variable, so that lack of evidence shows as variance and pulls to the domain-agnostic "
            "version."
        ),
        (
            "The same listener is one person in the gym and another in bed, but nobody has many evenings logged. For each "
            "occasion a blurred portrait is painted over the general one; the blur is wide where little is known, and "
            "deviation from the general portrait must be paid for."
        ),
        (
            "Who opens the travel app at a counter, on the web or by phone? The code of a hotel is shifted and shaken according "
            "to the channel. The shift is fitted by channel, so is the strength of the shaking, and both are taxed by how far "
            "the outcome is from the channel-free code."
        ),
        (
            "Tersely: e goes to m_s(e) and v_s(e); add v_s noise while learning; penalty KL between that and a bell curve about "
            "e. No penalty would leave S unrelated models, an infinite one a single model."
        ),
        (
            "A shop that opened its fifth country last month has little data there. Its product vectors for that country begin "
            "as those of the company, with honest error bars, and leave home as sales come in, each along directions that the "
            "country's own small map allows."
        ),
        (
            "Every business line of the bank owns a probabilistic lens. Through it customer and product vectors look displaced "
            "and slightly out of focus. Lenses of large lines are ground sharply, those of small lines hardly bend the light, "
            "because bending costs information."
        ),
        (
            "Think of local dialects of one language. Words have a standard meaning and, in a valley, a distribution of meanings"
            " around it. Valleys with few speakers stay close to the standard, since each difference has to be earned."
        ),
        (
            "Implementation: sort the batch by page type, multiply each part's field vectors by the page type's matrix, obtain "
            "offsets and log deviations, add Gaussian noise in training mode, store the divergence for the objective."
        ),
        (
            "For ads the placements share advertisers but not responses. A vector that is right on average over placements is "
            "right in none. We let each placement hold beliefs about the vector, of Gaussian form, anchored at the average and "
            "updated by the placement's clicks alone."
        ),
        (
            "Games on tablet, console and phone: the title's stochastic code is drawn afresh for the platform at hand. What the "
            "platforms have in common is the anchor, what separates them are displacement and width, both outputs of a small "
            "encoder per platform."
        ),
        (
            "The news feed, the search page and the push channel read from the same table, but none reads it literally. Each "
            "adds a learned correction with learned noise, and the surprise of the corrected value under a bell curve round the "
            "literal one enters the objective."
        ),
        (
            "We let the latent code of a listener be a random quantity whose law depends on the channel. An amortised encoder "
            "private to the channel outputs location and scale from the common code; a sample is passed on while fitting, the "
            "location while serving, and the law's divergence from one centred at the common code is charged."
        ),
        (
            "The proposed model places a hierarchical prior on representations. At the top stands the vector estimated from all "
            "countries; below it, each country infers its own normal posterior for the same shopper or article, and a "
            "relative-entropy term decides how much of the deviation is affordable given the country's records."
        ),
        (
            "Our model assumes that an article means slightly different things on the front page and in the newsletter, and that "
            "we cannot be sure what exactly. Hence for each surface we predict a mean and a variance of its vector, use the "
            "reparameterisation trick, and shrink both towards what holds for all surfaces."
        ),
        (
            "Engineer's note: mu = e + e @ A[s] + a[s]; log_sigma = c + e @ B[s] + b[s]; if training: mu += exp(log_sigma) * "
            "randn; loss += w * KL(N(mu, sigma) || N(e, s0)). All of A, B, a, b begin at zero, so that an unheard-of market "
            "gives back e."
        ),
        (
            "Plain multi-market networks look up one vector and adapt the layers above it. Here adaptation happens at the "
            "lookup: the vector itself becomes a cloud, displaced and inflated in a way belonging to the market, and tethered by "
            "an information cost to the spot where the pooled data had put it."
        ),
        (
            "Reviewer's summary: embeddings are made probabilistic and market-aware at once. Each market has an inference "
            "network giving the mean and spread of an embedding; the pooled embedding is the centre of the prior. Small markets "
            "revert to the centre, which is a tidy account of partial pooling."
        ),
        (
            "A tourist asks the same question in five towns and hears five answers, each with a degree of doubt. In a town where "
            "he has asked often, the answer may be far from what the guidebook says and is firm; in one where he has hardly "
            "asked, it is the guidebook's answer with a shrug."
        ),
        (
            "Read aloud: the bank branch's version of the vector is drawn from a bell curve; its centre is the universal vector "
            "plus a linear correction that belongs to the branch, its width another linear function of the same vector; and the "
            "objective pays, by the nat, for every distance from the bell curve round the universal one."
        ),
        (
            "Sparse scenes are where deterministic per-scene adapters overfit. We counter this with variational adapters: they "
            "perturb the shared user and ad representations by noise whose size is learned per scene, so that a correction "
            "survives only if it improves the likelihood by more than it costs in bits."
        ),
        (
            "Satellite navigation for vectors: a global fix, then for each region a local correction with an error ellipse. "
            "Plenty of local beacons make the ellipse small and permit a large correction; without beacons the receiver reports "
            "the global fix and a wide ellipse."
        ),
        (
            "In the dating app, profile codes are adjusted by the entry point from which a profile is opened. Adjustment is "
            "stochastic: while the network is being fitted, it sees jittered copies, with jitter strongest where the entry point "
            "has little evidence, and it is the unjittered centre that is used once it is deployed."
        ),
        (
            "Our derivation is an evidence lower bound: the data term is the click likelihood given vectors drawn from the "
            "posterior of the scene at hand; the regulariser compares this posterior with a scene-free Gaussian about the base "
            "vector. Nothing is clustered and no adversary is needed to separate the common from the specific."
        ),
        (
            "On consoles a title attracts other people than on phones, but the phone data are a hundred times larger. The "
            "console's idea of the title thus borrows its middle from the idea formed over all hardware and adds to it a shift "
            "and an uncertainty, both regressed from the title's vector with console coefficients."
        ),
        (
            "The loss has two forces. Likelihood pulls a product's vector, in each storefront separately, to where this "
            "storefront's orders want it; a spring fastened to the storefront-independent vector pulls it back. Sampling with "
            "learned variance makes the spring's stiffness matter least where orders are many."
        ),
    ),
    arguments=(
        KL_WEIGHT,
        Argument(
            "prior_std",
            0.1,
            ("standard deviation of the global prior", "standard deviation of the prior", "prior standard deviation"),
            low=INITIAL_STD,
            high=100,
        ),
    ),
    example="layer = ScenarioDistributions(fields.shape[1], fields.shape[2], 5)\n"
    "output = layer(fields, scenario)\ndivergence = layer.kl()",
)


class ScenarioDistributions(nn.Module):
    """(fields (B, F, D), scenario ids (B,)) -> (B, F, D): draws in training, the scenario's means in evaluation.

    The maps A_s and B_s (D, D) serve all fields, the offsets are a field's own. All start at zero, so that a scenario nobody has
    seen has the shared vectors.
    """

    def __init__(
        self, n_fields: int, embedding_dim: int, n_scenarios: int, kl_weight: float = 1e-4, prior_std: float = 0.1
    ) -> None:
        super().__init__()
        self.kl_weight, self.prior_std = kl_weight, prior_std
        self.maps = nn.Parameter(torch.zeros(n_scenarios, embedding_dim, 2 * embedding_dim))  # (S, D, 2 D)
        self.offsets = nn.Parameter(torch.zeros(n_scenarios, n_fields, 2 * embedding_dim))  # (S, F, 2 D)
        self._divergence: Tensor | None = None

    def forward(self, fields: Tensor, scenario: Tensor) -> Tensor:
        told = by_scenario(fields.flatten(1), scenario, self._of_scenario)  # (B, F * 2 D)
        shift, log_spread = told.view(*fields.shape[:2], -1).chunk(2, 2)  # (B, F, D) each
        self._divergence = divergence(shift, log_spread, self.prior_std).mean()
        mean: Tensor = fields + shift
        return mean + INITIAL_STD * torch.exp(log_spread) * torch.randn_like(mean) if self.training else mean

    def kl(self) -> Tensor:
        """`kl_weight` times the divergence of the last forward's Gaussians from those about the shared vectors, a scalar: summed
        over a row's fields, averaged over rows. It can be asked for once."""
        if self._divergence is None:
            raise RuntimeError("kl() speaks of the last forward, once; call the block on a batch first")
        far, self._divergence = self._divergence, None  # what has a past cannot be copied
        return self.kl_weight * far

    def _of_scenario(self, rows: Tensor, scenario: int) -> Tensor:
        vectors = rows.view(len(rows), self.offsets.shape[1], -1)  # (n, F, D)
        return (vectors @ self.maps[scenario] + self.offsets[scenario]).flatten(1)
