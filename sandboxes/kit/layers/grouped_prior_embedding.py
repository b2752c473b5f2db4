"""Variational embedding under a grouped prior: an id's Gaussian is drawn to a mixture of groups that side information chooses.

Notation: B rows, C categorical fields, F fields, D embedding width, K groups of a field.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.table import INITIAL_STD
from sandboxes.kit.layers.variational_embedding import KL_WEIGHT, VariationalEmbedding
from sandboxes.kit.schema import Schema

CARD = Card(
    name="grouped_prior_embedding",
    block="GroupedPriorEmbedding",
    slot="embedding",
    summary="Learns a Gaussian for each id, whose prior is a learned mixture over groups, with shares from side information.",
    equation="z_i ~ q_i = N(mu_i, sigma_i^2); p_i = sum_k pi_ik N(m_k, s_k^2), pi_i = softmax(c + A a_i) of the side information "
    "a_i; L = BCE + w (-ln sum_k pi_ik exp(-KL(q_i || N(m_k, s_k^2)))), no less than KL(q_i || p_i) (mixture priors of Jiang et "
    "al., IJCAI 2017, section 3, and Tomczak and Welling, AISTATS 2018, section 3; the bound of Hershey and Olsen, ICASSP 2007, "
    "section 7)",
    cues=(
        "mixture prior",
        "gaussian mixture prior",
        "mixture of gaussians prior",
        "grouped prior",
        "cluster-level prior",
        "learned prior over groups",
        "vampprior",
        "multinomial distribution as prior knowledge",
        "multinomial distributions as prior knowledge",
        "similar distributions for ids with similar side information",
        "prior conditioned on side information",
        "side information guides the prior",
        "group-aware prior",
        "prior knowledge that constrains the posterior",
        "constrains the posterior distributions",
        "hierarchical prior",
    ),
    descriptions=(
        "The prior of a user's embedding is a mixture over groups of users, in proportions computed from the user's attributes.",
        "Each posterior is regularised towards the groups it belongs to, rather than towards one standard normal for all.",
        "Users with similar profiles obtain similar distributions, which limits excessive personalisation on few records.",
        "Group centres and widths are learned together with the embeddings.",
        "A softmax over latent groups, fed with side information, mixes the components of the prior.",
        "Sparse ids fall back to the distribution of their group.",
        (
            "A zero-mean prior ignores what is known about an id. We replace it by a mixture of K Gaussians whose weights are "
            "predicted from the id's side information; the divergence between the approximate posterior and this mixture then "
            "transfers knowledge among ids of the same kind."
        ),
        (
            "For each user and item the approximate posterior is a diagonal Gaussian, estimated by variational inference. As "
            "prior knowledge we introduce a multinomial distribution over latent modes; users of like modes are thereby "
            "constrained to like distributions."
        ),
        (
            "Since the divergence from a mixture has no closed form, we minimise an upper bound made of the divergences from "
            "its components. It leads to soft assignments of ids to clusters, as in mixture models fitted by expectation "
            "maximisation."
        ),
        (
            "The variational framework accommodates uncertainty of long-tail ids. To avoid that their posteriors collapse to an "
            "uninformative prior, components of the prior are placed by learning and selected by content features."
        ),
        (
            "A new pupil is believed to be like pupils of the same habits until her own answers say otherwise. Beliefs are bell "
            "curves; there are a few standard curves, habits say in what blend they apply, and a fine is due for straying from "
            "the blend."
        ),
        (
            "Vague knowledge about a rarely booked hotel is not zero knowledge: stars and district are known. They vote for a "
            "handful of prototype clouds, and the hotel's own little cloud is tethered to the prototypes in proportion to the "
            "votes."
        ),
        (
            "Tersely: pi = softmax(W a); penalty = -log sum_k pi_k exp(-D(q, p_k)); p_k learned. With K equal to one it is the "
            "usual pull to a single bell curve, only that its place is learned."
        ),
        (
            "An artist with two listeners should not be pulled to the origin, where nobody lives. Ours is pulled to the centre "
            "of the genre crowd, or between two crowds where the record company's notes are ambiguous, and crowds move to where "
            "their artists are."
        ),
        (
            "Instead of one anchor for the ropes of all boats the harbour has K anchors. A boat's papers decide how its ropes "
            "are shared out among the anchors; a boat with a strong engine, that is, with many observations, may go where it "
            "will."
        ),
        (
            "Every fund in the bank's list carries random codes with a fitted centre and spread. What they are held to is not "
            "standard noise but one of several fitted families of codes, and which family is read off the prospectus."
        ),
        (
            "Two advertisers of one industry and size should be described by nearly the same law while evidence is thin. The "
            "information cost achieves this: it measures how unlikely an advertiser's law is under the laws of industries, "
            "weighted by a classifier of its attributes."
        ),
        (
            "We regularise latent codes of apps towards soft cluster prototypes in distribution space. Prototypes are Gaussians "
            "with own variances, memberships come out of category and developer, and the regulariser is dearest for apps whose "
            "codes claim more certainty than their prototype without having the installs."
        ),
        (
            "Random draws, centres, spreads: so far as with any stochastic lookup table. The difference is in what the draws are"
            " compared with. A table of reference laws, a few per column, is consulted with the row's other columns of the same "
            "subject as the key."
        ),
        (
            "For places the reference curve was one for all, so that an unknown museum and an unknown bar looked alike. With "
            "several reference curves, picked softly by type and quarter and learned on the way, each inherits the habits of its "
            "own kind."
        ),
        (
            "We place on the latent vector of each customer a prior that is itself a blend of several trainable normal laws. "
            "The blending proportions are a softmax of the customer's age band, region and segment, so that two customers of "
            "the same kind share what is assumed about them before any purchase is seen."
        ),
        (
            "Our model represents identifiers by distributions rather than points, and regularises every distribution towards "
            "that of its peers. Peers are not given: a small classifier on the identifier's descriptors allots it softly to "
            "latent communities, each of which has a mean and a spread fitted together with the network."
        ),
        (
            "The proposed regulariser replaces the divergence from a unit normal by minus the logarithm of a weighted sum of "
            "exponentiated negative divergences, one to each community's law. The weights come from metadata; the expression "
            "bounds from above the intractable divergence from the blend."
        ),
        (
            "In order to counter over-confident personalisation for visitors with a handful of clicks, we let the approximate "
            "posterior of a visitor shrink to a profile-dependent reference law. When clicks accumulate the likelihood "
            "outweighs the reference, and the vector becomes individual."
        ),
        (
            "We assume that users fall into a moderate number of latent types, that types follow a categorical law determined "
            "by the registration form, and that, given the type, the user's code is normally distributed around the type's "
            "centre. Inference is variational and amounts to sampling codes by mean plus scale times noise and paying for "
            "distance from the types."
        ),
        (
            "Under our formulation the same idea is applied to every categorical column: film identifiers are steered by "
            "genre and year, viewer identifiers by country and device. Steering acts on distributions (centre and variance), "
            "through a penalty added to the log loss with a small coefficient."
        ),
        (
            "We observe that a standard normal assumption drags cold tickets to a meaningless middle of the space. Our remedy "
            "is to learn where the assumption should sit: several bells at trainable positions and of trainable breadth, "
            "combined event by event according to venue and organiser."
        ),
        (
            "Loss = click log loss + small weight times penalty. Penalty for one id: take the KL of its Gaussian from each of "
            "eight trainable Gaussians, subtract the log of the share that the id's attributes assign to each, soft-minimise "
            "over the eight. Shares are one linear map and a softmax."
        ),
        (
            "Plain variational lookup: everyone is suspected to be nobody in particular. Here: a teenager with a budget phone "
            "is suspected to be like other teenagers with budget phones, loosely or tightly depending on how alike these have "
            "turned out to be."
        ),
        (
            "An insurer pricing a driver without claims uses the tariff class; with each year the driver's own record counts "
            "for more. Our random vectors work alike, except that tariff classes are bell-shaped clouds discovered in "
            "training and that the driver may belong to several in part."
        ),
        (
            "Reviewer's summary: uncertainty-aware id vectors, reparameterised sampling, and an empirical-Bayes twist. What "
            "each id is compared with is a multimodal law whose modes are learned and are weighted by auxiliary attributes, "
            "which shares strength among ids of kindred descriptions."
        ),
        (
            "Job seekers are given fuzzy coordinates. A fuzzy coordinate may wander, but wandering from the clouds reserved "
            "for its trade and seniority costs something; clouds recentre themselves on the seekers they hold; a trade that "
            "is hard to tell apart gets its seekers divided between clouds."
        ),
        (
            "Partial pooling for a deep ranker: instead of every course floating free, or every course held to one global "
            "law, courses are pooled by latent kind. Kind is inferred from subject, language and price through a soft "
            "assignment, and the law for a kind, place and width included, is estimated from its members."
        ),
        (
            "The pull on a dish's mean is strongest along axes on which its kin agree and weak where kin are spread, because "
            "each cluster carries its own variance per axis. Which cluster does the pulling is decided in proportions by "
            "cuisine and restaurant, never by the dish's identifier alone."
        ),
    ),
    arguments=(
        Argument(
            "n_groups",
            8,
            ("number of groups", "number of latent groups", "number of mixture components", "components of the prior"),
            low=1,
            high=1000,
        ),
        KL_WEIGHT,
        Argument(
            "prior_std",
            1.0,
            ("initial standard deviation of the components", "standard deviation of the prior", "prior standard deviation"),
            low=INITIAL_STD,  # a narrower prior leaves the vectors nothing to say
            high=100,
        ),
    ),
    example="layer = GroupedPriorEmbedding(schema, 8, n_groups=3)\noutput = layer(batch)\ndivergence = layer.kl()",
)


class GroupedPriorEmbedding(VariationalEmbedding):
    """A `VariationalEmbedding` whose prior is learned: (batch) -> (B, F, D). `prior_std` is where the groups' widths start.

    Each categorical field has groups of its own. What chooses among them for an id of the user's or item's side are the means of
    the other ids of that side in its row, brought to unit length and averaged; they are taken as they are, so that the
    divergence does not move them. Fields without such companions, and those of context, have the same shares for all ids.
    """

    companions: Tensor

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        numeric: nn.Module | None = None,
        n_groups: int = 8,
        kl_weight: float = 1e-4,
        prior_std: float = 1.0,
    ) -> None:
        super().__init__(schema, embedding_dim, numeric, kl_weight, prior_std)
        n_fields = len(schema.categorical)  # C
        self.register_buffer("companions", _companions(schema), persistent=False)  # (C, C)
        several, chosen = n_fields > 0 and n_groups > 1, bool(self.companions.any())
        if n_fields:
            self.centres = nn.Parameter(torch.randn(n_fields, n_groups, embedding_dim) * prior_std)  # (C, K, D)
            self.log_widths = nn.Parameter(torch.zeros(n_fields, n_groups, embedding_dim))  # (C, K, D), relative to prior_std
        self.usual = nn.Parameter(torch.zeros(n_fields, n_groups)) if several else None  # (C, K)
        self.choice = nn.Parameter(torch.zeros(n_fields, n_groups, embedding_dim)) if several and chosen else None  # (C, K, D)

    def log_shares(self, mean: Tensor) -> Tensor:
        """How the priors of ids with these means (B, C, D) are mixed: the shares' logarithms (B, C, K)."""
        if self.usual is None:
            return mean.new_zeros(*mean.shape[:2], 1)
        logits = self.usual.expand(len(mean), *self.usual.shape)  # (B, C, K)
        if self.choice is not None:
            side = self.companions.to(mean) @ functional.normalize(mean.detach(), dim=2)  # (B, C, D)
            logits = logits + torch.einsum("bcd,ckd->bck", side, self.choice)
        return torch.log_softmax(logits, 2)

    def _divergence(self, mean: Tensor, log_std: Tensor) -> Tensor:
        log_std = log_std + math.log(INITIAL_STD)  # (B, C, D)
        log_widths = self.log_widths + math.log(self.prior_std)  # (C, K, D)
        precision = torch.exp(-2 * log_widths)  # (C, K, D)
        second = torch.exp(2 * log_std) + mean.square()  # (B, C, D): of the draws about 0
        with torch.autocast(mean.device.type, enabled=False):  # large numbers cancel out, which bf16 would round away
            distance = torch.einsum("bcd,ckd->bck", second, precision)
            distance = distance - 2 * torch.einsum("bcd,ckd->bck", mean, self.centres * precision)
        constant = (self.centres.square() * precision + 2 * log_widths - 1).sum(2)  # (C, K)
        from_each = 0.5 * (distance + constant) - log_std.sum(2, keepdim=True)  # (B, C, K)
        return -torch.logsumexp(self.log_shares(mean) - from_each, 2).sum(1)


def _companions(schema: Schema) -> Tensor:
    """For each categorical field, the even shares (C, C) of the others that speak of the same user or item."""
    sides = [f.side for f in schema.categorical]
    same = [[float(i != j and a == b != "context") for j, b in enumerate(sides)] for i, a in enumerate(sides)]
    shares = torch.tensor(same).reshape(len(sides), len(sides))  # (C, C)
    return shares / shares.sum(1, keepdim=True).clamp(min=1)
