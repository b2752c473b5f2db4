"""Several interests: dynamic routing gathers the history into a few vectors, and the candidate attends to them.

Notation: B rows, L history length, D embedding width, J interests.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.card import Argument, Card

TINY = 1e-12  # keeps the length of an empty interest from having no slope

CARD = Card(
    name="multi_interest",
    block="MultiInterest",
    slot="history",
    needs=("history", "target_item"),
    summary="Gathers the user's behaviours into several interest vectors by dynamic routing between capsules, and mixes "
    "these by their fit to the candidate.",
    equation="u_jl = S_j LayerNorm(e_l); c_jl = softmax_j b_jl; v_j = squash(sum_l c_jl u_jl), squash(z) = |z|^2 / (1 + "
    "|z|^2) z / |z|; b_jl <- b_jl + v_j^T u_jl, from b = 0, a few times; sum_j softmax_j((M v_A)^T v_j) v_j (Li et "
    "al., CIKM 2019, section 3.3 and 3.4, with a matrix for each interest as in Cen et al., KDD 2020, section 3.2, "
    "and a fixed number of interests; norms come first since embeddings start near zero, where squashing leaves "
    "nothing)",
    cues=(
        "multi-interest",
        "multiple interests",
        "multi-interest extractor",
        "multi-interest extraction",
        "multiple interest vectors",
        "several interest vectors",
        "interest capsules",
        "behavior capsules",
        "behavior-to-interest dynamic routing",
        "dynamic routing",
        "capsule network",
        "capsule routing",
        "label-aware attention",
        "diverse interests of a user in several vectors",
        "routing coefficients",
        "number of interests",
    ),
    descriptions=(
        "A user has more than one interest, so the history is condensed into several vectors instead of one.",
        "Dynamic routing assigns each behaviour softly to interest capsules, and refines the assignment for a few iterations.",
        "Each interest capsule is the squashed sum of the behaviours routed to it.",
        "The candidate item attends to the user's interest vectors and picks those that fit it.",
        "Behaviours that agree with an interest vector are routed to it more strongly in the next iteration.",
        "The number of interests is fixed, and every one of them gathers a different part of the click history.",
        (
            "Representing a user by a single vector is a bottleneck. We extract K interest vectors from the behaviour sequence "
            "with a capsule layer, whose coupling coefficients come from iterative routing by agreement, and combine them with "
            "an attention whose query is the target item."
        ),
        (
            "The multi-interest layer regards behaviours as low-level capsules and interests as high-level ones. Votes of the "
            "former for the latter are summed with softmax weights over interests and squashed to a length below one; the "
            "logits of the weights are increased by the agreement of vote and result."
        ),
        (
            "User behaviours are grouped by soft clustering, performed inside the network by dynamic routing, such that every "
            "group stands for one facet of the user's taste. For a given item, the facets are weighed by their inner products "
            "with it."
        ),
        (
            "An interest extraction module outputs a set of vectors per user. In contrast to target attention over single "
            "behaviours, the candidate is compared with a handful of interests that have been formed before, independently of "
            "it."
        ),
        (
            "A listener may love baroque, metal and podcasts on chess. Her plays sort themselves into a few baskets: each play "
            "first spreads over all baskets, then leans to those whose content resembles it, and after three rounds the "
            "baskets are distinct. The new track looks into the basket it belongs to."
        ),
        (
            "Imagine magnets thrown among iron filings. The filings are past purchases; each magnet pulls those that already "
            "point its way and is turned by what it has pulled. When things have settled, the magnets are the shopper's "
            "tastes, and the product on offer asks the closest of them."
        ),
        (
            "For each of J heads compute votes S_j e; set logits b to zero; loop: shares are softmax of b over j, heads are "
            "squashed share-weighted sums of votes, b grows by the dot product of head and vote. Finally mix heads by softmax "
            "of their match with the candidate."
        ),
        (
            "Travellers who book business hotels on weekdays also book family resorts in August. Averaging both gives a trip "
            "that nobody wants. Our encoder therefore delivers several prototypes per traveller, found by an iterative "
            "negotiation between bookings and prototypes."
        ),
        (
            "The reader is described by a small committee. Every article read casts a ballot for committee members, ballots "
            "are recounted in the light of what the members have come to stand for, and the article to be ranked consults the "
            "member that is nearest."
        ),
        (
            "Which shop visits belong together is nowhere labelled. It emerges within the forward pass: visits and latent "
            "groups exchange evidence for a fixed number of passes, after which the groups' vectors, their norms saturating "
            "below one, enter candidate-conditioned pooling."
        ),
        (
            "Instead of one point, the player becomes a cloud of four points in the embedding space. Where the points lie is "
            "decided by grouping the played games through agreement; how much each point matters is decided by the game to be "
            "scored."
        ),
        (
            "An app log mixes work, play and travel. A layer with parts and wholes separates them: installs are parts, moods "
            "are wholes, and a part belongs to those wholes that predict it well. Attention from the app under consideration "
            "then selects the mood."
        ),
        (
            "The competition runs over interests, not over behaviours: for every click the weights on the J interests sum to "
            "one, so an interest that takes a click takes it from the others. That is what keeps the J vectors from being "
            "copies of one another."
        ),
        (
            "Bank customers spend as parents, commuters and hobbyists at once. We summarise card payments by several roles. "
            "Payments are distributed among the roles iteratively, and an offer's score depends on the role nearest to the "
            "offer."
        ),
        (
            "Two stages: grouping without the candidate, reading with it. The grouping yields a J by D matrix for each user "
            "that could be stored and reused; the reading is a softmax over J inner products with the advertised item."
        ),
        (
            "A clip watched at night and a clip watched at lunch may speak of separate sides of a viewer. The routing "
            "procedure, unrolled for three iterations and trained end to end, gathers clips by side and writes one vector for "
            "each."
        ),
        (
            "Soft clustering by agreement replaces pooling. Clusters that gather many consistent events have long vectors, and "
            "those with few or contradictory events have short ones, as the squashing function maps total evidence to a length "
            "between zero and one."
        ),
        (
            "Places visited are dealt out to a fixed number of hidden themes. After the first deal, which treats all themes "
            "alike but for their own projections, places move towards themes which they resemble. The place being recommended "
            "takes a weighted view of the themes."
        ),
    ),
    arguments=(
        Argument(
            "n_interests",
            4,
            ("number of interests", "interest capsules", "interest vectors", "number of interest capsules", "number of capsules"),
            low=2,
            high=64,
        ),
        Argument(
            "n_iterations",
            3,
            ("routing iterations", "iterations of dynamic routing", "number of routing iterations", "iterations of routing"),
            low=1,
            high=12,
        ),
    ),
    example="layer = MultiInterest(history.shape[2], n_interests=3)\noutput = layer(target, history, mask)",
)


class MultiInterest(nn.Module):
    """(target (B, D), history (B, L, D), mask (B, L)) -> (B, D); zeros for an empty history."""

    def __init__(self, embedding_dim: int, n_interests: int = 4, n_iterations: int = 3) -> None:
        super().__init__()
        self.n_iterations = n_iterations
        self.norm = nn.LayerNorm(embedding_dim)
        self.maps = nn.Parameter(torch.randn(n_interests, embedding_dim, embedding_dim) * embedding_dim**-0.5)  # (J, D, D)
        self.match = nn.Linear(embedding_dim, embedding_dim, bias=False)
        self.out_dim = embedding_dim

    def forward(self, target: Tensor, history: Tensor, mask: Tensor) -> Tensor:
        interests = self.interests(history, mask)  # (B, J, D)
        shares = torch.softmax(torch.einsum("bd,bjd->bj", self.match(target), interests), 1)  # (B, J)
        return torch.einsum("bj,bjd->bd", shares, interests)

    def interests(self, history: Tensor, mask: Tensor) -> Tensor:
        """What the user is interested in, whatever the candidate: (B, J, D), each of a length below 1."""
        votes = torch.einsum("bld,jde->bjle", self.norm(history), self.maps)  # (B, J, L, D)
        logits = torch.zeros_like(votes[..., 0])  # (B, J, L)
        for _ in range(self.n_iterations - 1):
            found = _gathered(logits, votes, mask)
            logits = logits + torch.einsum("bjle,bje->bjl", votes, found)
        return _gathered(logits, votes, mask)


def _gathered(logits: Tensor, votes: Tensor, mask: Tensor) -> Tensor:
    """Interests (B, J, D): the votes, each behaviour's shared out over the interests, added up and squashed."""
    shares = torch.softmax(logits, 1) * mask.unsqueeze(1)  # (B, J, L)
    total = torch.einsum("bjl,bjle->bje", shares, votes)
    squared = total.square().sum(2, keepdim=True)  # (B, J, 1)
    return total * (squared + TINY).sqrt() / (1 + squared)
