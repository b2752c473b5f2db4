"""Core behaviours meet the context: the few behaviours nearest to the target interact with every field before they are pooled.

Notation: B rows, L history length, D embedding width, F fields, k behaviours kept, H units of a pair.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.behaviour_field_pairs import BehaviourFieldPairs
from sandboxes.kit.layers.masked_softmax import masked_softmax
from sandboxes.kit.layers.most_similar import agreement, most_similar

CARD = Card(
    name="core_behaviour_interaction",
    block="CoreBehaviourInteraction",
    slot="history",
    needs=("history", "target_item"),
    takes=("target", "history", "mask", "fields"),
    summary="Keeps the behaviours most similar to the target, lets each of them interact with every field of the row through a "
    "small layer of the field's own, and pools the interactions afterwards.",
    equation="r_l = (M v)^T e_l / sqrt(D); S = the k largest r_l; h_ij = relu(A_j e_i + B_j f_j + C_j (e_i * f_j) + b_j) for i "
    "in S and every field j; [sum_{i in S} softmax_S(r_i) h_ij] over j (behaviours interact one by one with the "
    "item's, user's and context's features as in Zhang et al., WSDM 2021, those behaviours alone that a search by the "
    "target keeps, as in Pi et al., CIKM 2020, section 3)",
    cues=(
        "core behaviors",
        "core-behavior",
        "interaction between behaviors and contextual features",
        "interactions between contextual features and specific user behaviors",
        "bridge sequential and contextual features",
        "sequential and contextual feature interaction",
        "behavior-level feature interaction",
        "behavior-context interaction",
        "fine-grained interaction between behaviors and features",
        "each behavior interacts with the context features",
        "interact before aggregation",
        "interaction before pooling",
        "aggregated into a single vector before interacting",
        "cross each behavior with the other features",
        "co-action of behaviors and features",
        "sequence and non-sequence features interact",
    ),
    descriptions=(
        "Each of the behaviours most relevant to the candidate interacts with every contextual feature, and pooling comes last.",
        "Behaviours are crossed with the user, item and context fields one by one instead of after aggregation.",
        "Only a few core behaviours take part in the fine-grained interaction, which keeps noise and cost low.",
        "Summing the sequence into one vector first loses which behaviour it was that fits the present context.",
        "For every pair of a kept behaviour and a field there is an interaction, computed by a layer that belongs to the field.",
        "Field-wise interaction is carried out on single behaviours, and its results are averaged with relevance weights.",
        (
            "Existing models aggregate the behaviour sequence into a vector and then interact it with contextual features. We "
            "select the k behaviours with the highest similarity to the target item and model the interaction of each of them "
            "with each contextual feature; the interaction vectors are then aggregated."
        ),
        (
            "To avoid information loss through early aggregation, sequence features and non-sequence features are interacted at "
            "the level of single behaviours. Irrelevant behaviours would contribute noise to these interactions and are "
            "filtered out beforehand by their relevance to the candidate."
        ),
        (
            "The behaviour-context module receives the embeddings of selected behaviours and of all profile and context fields. "
            "For a behaviour i and a field j it outputs a nonlinear function of e_i, f_j and their element-wise product, and a "
            "weighted sum over i follows for every j."
        ),
        (
            "Directly interacting all behaviours with all features is computationally expensive. We restrict this cross to the "
            "behaviours closest to the candidate, so that the cost is k times F small products per sample, whatever the length "
            "of the log."
        ),
        (
            "Last winter's ski trip says something else on a Friday in December than on a Monday in June. We therefore "
            "introduce every earlier trip that resembles the one on offer to the hour, the device and the traveller separately, "
            "note down what comes of each such meeting, and only then add the notes up."
        ),
        (
            "First meet, then blend. A song played before is confronted with the time of day, with the listener's age and with "
            "the tempo of the song at issue, each in a confrontation of its own; ten songs, those most like the one at issue, "
            "are confronted so. The blend is made of the outcomes, never of the songs."
        ),
        (
            "An average has no memory of its members. Were the orders averaged first, no later layer could ask whether some "
            "single order was dearer than today's budget. Here today's budget is put to each pertinent order directly, with a "
            "threshold unit behind it, and the answers are tallied."
        ),
        (
            "Formally the summary is a sum over the nearest past events of g_j(event, field j), one such sum for every column j "
            "of the row, with g_j not linear. Since g_j sees column and event together, the sum does not factor into a pooled "
            "history and a column."
        ),
        (
            "Our ads system keeps twenty logged clicks per request, chosen for their closeness to the advertised product, and "
            "builds a table with a line for each of them and a column for each attribute of the request. A cell holds a few "
            "units computed from its click and its attribute. Columns are then averaged over the lines."
        ),
        (
            "Think of speed dating: the shortlisted memories of a customer sit on one side, the facts of the present call on "
            "the other, and each memory talks to each fact for a moment. What counts for the bank is the record of the "
            "conversations, the better-fitting memories being listened to more."
        ),
        (
            "A profile vector that is glued to the other inputs can only react with them as a lump. We keep the lump apart into "
            "its grains: those grains that concern the game being scored react with country, phone and hour one at a time, and "
            "the products of the reactions, not the grains, are collected."
        ),
        (
            "It is not the candidate alone that the past is held against. The candidate merely says which visits are worth "
            "looking at; these are then combined, visit by visit, with weather, weekday, companion and neighbourhood, each by "
            "its own little rectified map, and the results are summed over the visits."
        ),
        (
            "Per request: dot products of the article with the reading log; take the best k entries; for each entry and each of "
            "the F columns evaluate a one-layer unit on entry, column and product; weight by the softmax of the k dot products; "
            "sum over entries; concatenate the F results for the tower."
        ),
        (
            "A shopper may have bought a thousand things, but a dozen explain the interest in this kettle. For that dozen the "
            "model can afford to look closely, at how every single purchase goes together with brand, price band, season and "
            "basket. The closeness would be wasted if the dozen were melted into one vector beforehand."
        ),
        (
            "Between the column that holds the store and the list of earlier baskets there is no single product but one for "
            "each basket that matters to the item at hand. A basket and the store pass through a rectified layer reserved for "
            "stores, a basket and the hour through that for hours, and weighted totals over baskets are handed upward."
        ),
        (
            "Rather than asking how the viewer's overall taste agrees with the screen on which she watches, we ask it film by "
            "film, for the films most akin to the one proposed, and repeat the questioning with all other facts known about the "
            "evening. The replies are pooled; the films themselves never are."
        ),
        (
            "We first retrieve the handful of past plays that resemble the candidate track most, then form a nonlinear joint "
            "feature of every retrieved play with every attribute of the request, and take the relevance-weighted mean of those "
            "joint features as the last step."
        ),
        (
            "Our model postpones the summation over a shopper's log until each relevant purchase has been combined with "
            "profile, device and time signals individually; thereby a combination that concerns one purchase is not averaged "
            "away before it can be seen."
        ),
        (
            "The proposed layer produces, for each column of the sample, a vector that describes how this column goes with the "
            "user's pertinent history. It does so element by element: a small column-specific perceptron takes one old event, "
            "the column and their Hadamard product, and only its outputs are added over the events."
        ),
        (
            "Conventional click models pool first and cross later. Here the order is reversed, which would be too expensive and "
            "too noisy for the full log, so that only a shortlist of the events closest to the ad goes through the crossing."
        ),
        (
            "Ask each of the ten best references separately what they think of the applicant's town, wage wish and start date, "
            "and then summarise the thirty answers. Asking a composite person made out of ten references would lose what only "
            "one of them knew."
        ),
        (
            "Reviewer's summary: the gain comes from letting entries of the click sequence touch the non-sequential inputs "
            "before any pooling. A target-based top-k filter makes this affordable, and its similarity scores double as pooling "
            "weights."
        ),
        (
            "A past trip to the seaside matters when it is July, when the guest travels with children, or when the phone is "
            "abroad. For each of the few trips akin to the hotel under consideration we evaluate such conjunctions explicitly, "
            "trip times attribute, and sum over trips afterwards."
        ),
        (
            "Read aloud: keep S, the k indices with the greatest bilinear match to the target; for i in S and column j compute "
            "relu of A e_i plus B f_j plus C of their product; output for j is the sum over i of softmax match times that. "
            "Pooling is outermost."
        ),
        (
            "In our game store, hour of day and console used to see the gamer's record only as an average. We give them access "
            "to single sessions instead, though merely to sessions similar to the title being ranked, and gather what they find "
            "there column by column."
        ),
        (
            "We argue that user-interest extraction and feature crossing should not be two successive modules separated by a "
            "pooled vector. Our unit crosses at the granularity of individual interests: selected watch events times static "
            "fields, followed by a field-wise weighted aggregation."
        ),
        (
            "The recipe for a news feed: pick the dozen read stories nearest to the headline, put them along the rows of a "
            "grid, put city, weekday, age band and outlet along the columns, fill every square by a little rectified unit, "
            "average each column of squares by closeness."
        ),
        (
            "Each earlier meal is a possible explanation for tonight's order, but only under circumstances. So we test the "
            "relevant meals against the circumstances, one meal and one circumstance at a time, and report the tests' outcomes "
            "rather than the meals."
        ),
        (
            "Information is lost whenever a thousand logged transactions become one profile vector prior to meeting merchant, "
            "amount and branch. We keep the most target-like transactions apart, let them react with all other inputs in pairs, "
            "and merge at the very end."
        ),
        (
            "This differs from target attention, where the candidate alone decides how the past is summed and other inputs "
            "never meet a single past event. In ours, the candidate chooses the events and every other input is then paired "
            "with each of them through a nonlinearity."
        ),
    ),
    arguments=(
        Argument(
            "top_k",
            10,
            ("number of core behaviors", "core behaviors", "number of selected behaviors", "number of behaviors that interact"),
            low=2,
            high=1024,
        ),
        Argument(
            "pair_units",
            8,
            ("units of each behavior-feature pair", "interaction dimension", "size of the interaction vector"),
            low=1,
            high=256,
        ),
    ),
    example="layer = CoreBehaviourInteraction(fields.shape[1], history.shape[2], top_k=3, pair_units=4)\n"
    "output = layer(target, history, mask, fields)",
)


class CoreBehaviourInteraction(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L), fields (B, F, D)) -> (B, F * pair_units); zeros for an empty history.

    The same similarities choose the behaviours and weigh what comes of them; through the weights the choice is learned.
    """

    def __init__(self, n_fields: int, embedding_dim: int, top_k: int = 10, pair_units: int = 8) -> None:
        super().__init__()
        self.top_k = top_k
        self.match = nn.Linear(embedding_dim, embedding_dim, bias=False)
        self.pairs = BehaviourFieldPairs(n_fields, embedding_dim, pair_units)
        self.out_dim = n_fields * pair_units

    def forward(self, target: Tensor, history: Tensor, mask: Tensor, fields: Tensor) -> Tensor:
        similarity = agreement(self.match(target), history)  # (B, L)
        core, real, place = most_similar(similarity, history, mask, self.top_k)  # (B, k, D), (B, k), (B, k)
        shares = masked_softmax(similarity.gather(1, place), real)  # (B, k)
        return torch.einsum("bk,bkfh->bfh", shares, self.pairs(core, fields)).flatten(1)
