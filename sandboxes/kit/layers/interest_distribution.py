"""Interest distribution: which share of a history falls to each of a few shared prototypes, and what that means in a context.

Notation: B rows, L history length, D embedding width, J prototypes, F fields, H units of a pair.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.behaviour_field_pairs import BehaviourFieldPairs

CARD = Card(
    name="interest_distribution",
    block="InterestDistribution",
    slot="history",
    needs=("history",),
    takes=("history", "mask", "fields"),
    summary="Assigns every behaviour softly to learned prototypes that all users share, averages this to a distribution over "
    "interests, and lets the distribution interact with every field of the row.",
    equation="q_lj = softmax_j(cos(e_l, c_j) / tau); p_j = mean_l q_lj; m = sum_j p_j u_j; z_f = relu(A_f m + B_f x_f + C_f (m "
    "* x_f) + b_f) for every field f; [p, z_1, ..., z_F] (prototypes and cosine assignment with a temperature as in Ma "
    "et al., NeurIPS 2019, shared concepts of histories as in Tan et al., WSDM 2021; a layer for each field as for "
    "single behaviours in Zhang et al., WSDM 2021)",
    cues=(
        "interest distribution",
        "interest-distribution",
        "distribution over interests",
        "distribution of user interests",
        "distribution over interest clusters",
        "soft clustering of behaviors",
        "softly assigned to clusters",
        "soft assignment to prototypes",
        "cluster assignment probabilities",
        "interest prototypes",
        "prototype vectors shared by all users",
        "concept prototypes",
        "global view of user interest",
        "holistic user interest",
        "coarse-grained interest",
        "overall interest distribution",
    ),
    descriptions=(
        "The whole history becomes a distribution over a fixed set of interests, which interacts with the contextual features.",
        "Every behaviour is softly assigned to prototypes by cosine similarity, and the assignments are averaged over the user.",
        "A coarse-grained view says how a user's attention is divided among topics that all users share.",
        "Interest clusters are learned end to end, and a user is described by the share of behaviours in each of them.",
        "The histogram of soft cluster memberships is crossed with every field of the row.",
        "No behaviour is selected and none is left out: the entire sequence counts equally in the proportions.",
        (
            "To retain the holistic interest of a user, we introduce K learnable prototypes. A behaviour belongs to a prototype "
            "with a probability given by a softmax over scaled cosine similarities; averaging over the sequence yields the "
            "interest distribution, which is interacted with the context features."
        ),
        (
            "Unlike multi-interest extraction, where vectors are formed anew for each user, our interest clusters are global "
            "parameters. What is specific to a user is only the vector of proportions in which his behaviours are spread over "
            "these clusters."
        ),
        (
            "The global branch complements attention over relevant behaviours. It represents the complete behaviour sequence by "
            "the distribution of its items over latent categories, computed independently of the candidate, and models how this "
            "distribution interacts with contextual features in a coarse-grained manner."
        ),
        (
            "We quantise the long sequence softly: membership probabilities of its items in a small codebook are accumulated to "
            "a normalised histogram. The histogram's length does not depend on that of the sequence, so that interactions with "
            "other fields are cheap."
        ),
        (
            "Sixty per cent jazz, thirty per cent talk, ten per cent everything else: this is all that the model keeps of a "
            "listener's year. The genres are not given but found, as points in the space of songs; how far a song belongs to "
            "each point is read off the angle between them."
        ),
        (
            "A pie chart is drawn for each visitor. Its slices stand for kinds of places that training has discovered and that "
            "are the same for everybody; their sizes are how the visited places divide among them. The chart, as numbers, is "
            "then combined with weekday, weather and city."
        ),
        (
            "Each purchase hands out one unit of credit among J anchors in proportion to exp(cosine / t). Credits are summed "
            "and divided by the number of purchases. The resulting point of the simplex, not any single purchase, is what age, "
            "region and offer are held against."
        ),
        (
            "Like a census, our encoder asks every session of a player to which of the known provinces of play it belongs, "
            "allows divided answers, and publishes only the percentages. The percentages react with the phone, the hour and the "
            "game on display in layers of their own."
        ),
        (
            "For a broad picture of a reader, which article was read does not matter, only the mix of subjects. Subjects are "
            "trainable vectors; an article leans to those it points towards; the mean leaning over the log is the mix, and for "
            "each attribute of the request there is a small unit that sees the mix together with the attribute."
        ),
        (
            "The spending of a customer is condensed to budget shares over sixteen latent purposes. Payments are fuzzy members "
            "of the purposes, which are common to all customers of the bank. Shares, unlike sums, say the same of a customer "
            "with ten payments and one with ten thousand, and they are related to product and season."
        ),
        (
            "What the sharp view of a few pertinent clicks misses, a blurred photograph of all clicks supplies. The blur is a "
            "projection on archetypes: each click lights up the archetypes it resembles, total light is normalised to one, and "
            "the pattern of light is put together with each property of the ad."
        ),
        (
            "Neither does the candidate decide what is counted, nor are groups negotiated for one user by several rounds of "
            "messages. Fixed centres, learned along with everything else, receive the app installs by a temperature-controlled "
            "softmax in one pass; the frequencies that result are the user's profile."
        ),
        (
            "Let c_1 to c_J be free vectors. Describe a guest by p, where p_j averages over stays the j-th entry of "
            "softmax(cos(stay, c) / t). Feed p itself, and for every column a rectified function of p and that column, to the "
            "deep part."
        ),
        (
            "The system sees a population of stations on which listening can concentrate or scatter. An evenly scattered "
            "listener and a concentrated one get different proportions even where the mean of their songs is the same vector, "
            "and it is the proportions that meet the other columns."
        ),
        (
            "All recipes somebody has cooked are poured through the same set of funnels, whose mouths are points learned for "
            "the whole community. How much has run through each funnel, as a fraction of everything poured, tells what kind of "
            "cook this is; whether that suits the day and the guest is asked for each fact about the evening separately."
        ),
        (
            "Rather than condensing a log by a mean, which cancels opposites out, we condense it by occupancy: the fraction of "
            "events near each of several landmarks of taste. The landmarks are the same across users, so fractions are "
            "comparable and may be multiplied into the features of the impression."
        ),
        (
            "We characterise a listener by the fractions in which the plays on record fall to K trainable anchors common to "
            "the entire audience. Membership of a play is graded, by a tempered softmax over angles to the anchors, and "
            "memberships are averaged. The vector of fractions then meets every attribute of the request in a small dense "
            "unit."
        ),
        (
            "Our model complements target-dependent attention by a candidate-free summary. Each past purchase is distributed "
            "over a dictionary of latent topics, and the topic frequencies, which sum to unity, describe the customer as a "
            "whole; they are combined with profile, product and situation columns to predict response."
        ),
        (
            "The proposed global encoder performs fuzzy quantisation of the click log against a shared codebook and returns "
            "the normalised histogram. As no click is filtered out, the histogram preserves minor tastes, and as the codebook "
            "is universal, histograms of different people can be compared coordinate by coordinate."
        ),
        (
            "To understand what a portfolio of tastes implies in the present situation, we cross it with each situational "
            "column separately: for hour, device and advertisement, a rectified layer receives the portfolio vector, the "
            "column's vector and their elementwise product."
        ),
        (
            "We define latent categories by free parameter vectors that are optimised together with the predictor. The "
            "probability that an event stems from category j is proportional to the exponential of scaled cosine; the mean "
            "over events estimates the person's category mix, a coarse but complete picture of the log."
        ),
        (
            "In our two-view architecture, the fine view scores individual events against the target, whereas the coarse view "
            "estimates how the person's attention is apportioned among universal themes. The coarse view is a vector of "
            "percentages, followed by interactions between it and the non-sequential inputs."
        ),
        (
            "We avoid forming several vectors per user by routing or multi-head pooling. Instead, a fixed set of theme "
            "vectors is held as parameters for everybody, and a user contributes nothing but mixing weights, obtained in a "
            "single softmax pass and a mean over the sequence."
        ),
        (
            "Implementation: normalise history, normalise centroids, matmul, divide by 0.1, softmax over centroids, masked "
            "mean over time. You get B by 16 rows that sum to one. Concatenate them with a small per-field layer of (mix, "
            "field, mix times field). That is the long-history branch."
        ),
        (
            "Mean pooling gives a point halfway between opera and metal, where no song lives. Counting instead gives: half "
            "opera, half metal. The pigeonholes that are counted are soft, learned and the same for all listeners, and the "
            "counts are what weekday and device are crossed with."
        ),
        (
            "Colour analysis of a painting: each brush stroke is decomposed into a few basic pigments that the studio has "
            "agreed on, and the sheet records only the percentage of each pigment. A buyer's taste sheet, drawn up from all "
            "visits to galleries, is laid beside each fact of the current visit."
        ),
        (
            "Reviewer's summary: a bag-of-concepts for behaviour logs. Concepts are learned vectors; events are softly "
            "binned; bins are normalised; the normalised bins interact with context fields. Cheap, independent of the "
            "candidate, and complementary to attention over relevant events."
        ),
        (
            "The expression p = average over l of softmax(cos(e_l, C) / t) is all there is of memory; afterwards, for each "
            "input column f, relu(A m + B x_f + C (m times x_f)), where m is the mixture of concept vectors under p. Job ads "
            "clicked long ago count as much as recent ones."
        ),
        (
            "In map search a person's visits scatter over kinds of places: eating, sport, errands. We do not have these kinds "
            "as labels. Sixteen reference directions, found in training, take their role, and the degree to which visits "
            "point along each yields a profile adding up to one hundred per cent."
        ),
        (
            "A voter's whole past is reduced to an election result. Every past trip votes, with a divisible vote, for parties "
            "which are the same throughout the country; the seats of the parties, not any single vote, are then read in the "
            "light of season, destination and companion."
        ),
    ),
    arguments=(
        Argument(
            "n_prototypes",
            16,
            (
                "number of prototypes",
                "number of clusters",
                "number of interest clusters",
                "interest prototypes",
                "number of latent categories",
            ),
            low=2,
            high=1024,
        ),
        Argument("temperature", 0.1, ("temperature", "temperature of the assignment"), low=0.01, high=10.0),
        Argument(
            "pair_units",
            8,
            ("units of each interest-feature pair", "interaction dimension", "size of the interaction vector"),
            low=1,
            high=256,
        ),
    ),
    example="layer = InterestDistribution(fields.shape[1], history.shape[2], n_prototypes=4, pair_units=4)\n"
    "output = layer(history, mask, fields)",
)


class InterestDistribution(nn.Module):
    """(history (B, L, D), mask (B, L), fields (B, F, D)) -> (B, n_prototypes + F * pair_units): the distribution and what comes
    of it in each field's company; zeros for an empty history."""

    def __init__(
        self, n_fields: int, embedding_dim: int, n_prototypes: int = 16, temperature: float = 0.1, pair_units: int = 8
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.prototypes, self.interests = (nn.Parameter(torch.randn(n_prototypes, embedding_dim)) for _ in range(2))  # (J, D)
        self.pairs = BehaviourFieldPairs(n_fields, embedding_dim, pair_units)
        self.out_dim = n_prototypes + n_fields * pair_units

    def forward(self, history: Tensor, mask: Tensor, fields: Tensor) -> Tensor:
        shares = self.distribution(history, mask)  # (B, J)
        met = self.pairs((shares @ self.interests).unsqueeze(1), fields).flatten(1)  # (B, F * H)
        return torch.cat([shares, met * mask.any(1, keepdim=True)], 1)

    def distribution(self, history: Tensor, mask: Tensor) -> Tensor:
        """Shares (B, J) of the real behaviours that fall to each prototype: they sum to 1, or are all 0 for an empty history."""
        alike = functional.normalize(history, dim=2) @ functional.normalize(self.prototypes, dim=1).T  # (B, L, J)
        belongs = torch.softmax(alike / self.temperature, 2) * mask.unsqueeze(2)  # (B, L, J)
        return belongs.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
