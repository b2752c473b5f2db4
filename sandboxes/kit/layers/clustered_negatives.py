"""Negatives by meaning: near ones are drawn as hard negatives, and the very nearest are left alone.

Notation: B rows, I ids of the target item, C clusters, M leaves of each, H near negatives, E far ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.cluster_tree import leaves_of
from sandboxes.kit.layers.item_content import item_content, taken_together
from sandboxes.kit.layers.sampled_softmax import TEMPERATURE
from sandboxes.kit.schema import FIRST_ID, Schema

ITEMS_A_LEAF = 4  # at least so many to a leaf on the average: a leaf of one item protects nobody

CARD = Card(
    name="clustered_negatives",
    block="ClusteredNegatives",
    slot="item_loss",
    needs=("items", "answers"),
    summary="Clusters items hierarchically by what they are like and draws negatives by cluster: hard ones from the positive's "
    "cluster, easy ones from others, none from its own leaf.",
    equation="-log softmax of s(q, i) / tau against items of cluster(i) outside leaf(i) and items outside cluster(i); k-means of "
    "content vectors makes clusters, and of each cluster leaves (Nister and Stewenius, CVPR 2006, section 3; for negatives of "
    "items Xing et al., WWW 2025)",
    cues=(
        "cluster-based negative sampling",
        "clustered negatives",
        "semantic-aware negative sampling",
        "semantic negative sampling",
        "negatives sampled from the same cluster",
        "negatives from the positive's cluster",
        "within-cluster negatives",
        "intra-cluster negatives",
        "same-category hard negatives",
        "hierarchical clustering of item representations",
        "multimodal clustering of items",
        "reduces false negatives by clustering",
        "excluding semantically similar items from the negatives",
        "semantically similar hard negatives",
        "clusters the items for negative sampling",
    ),
    descriptions=(
        "Items are clustered by their content, and negatives are sampled according to the clusters.",
        "Items in the same coarse cluster as the positive serve as hard negatives.",
        "Those that share the finest cluster with the positive are probably false negatives and are not sampled.",
        "The hierarchy of clusters decides how difficult a sampled negative is.",
        "Easy negatives come from other clusters, difficult ones from nearby.",
        "Semantic clusters of item representations refine the distribution from which negatives are taken.",
        (
            "To avoid false negatives while keeping samples informative, we cluster the items hierarchically according to their "
            "visual, textual and behavioural representations. For each positive, we draw from its parent cluster but outside "
            "its own child cluster, plus a number of samples from the remaining clusters."
        ),
        (
            "Uniform sampling mostly returns trivial negatives, whereas sampling the highest-scoring items often returns items "
            "the user would have liked. We use pre-computed groups of similar items to steer between both: similar enough to be "
            "hard, not so similar as to be wrong."
        ),
        (
            "Negatives are sampled category by category. Given the clicked product, a proportion is drawn from products with "
            "related images and titles, with near-duplicates removed, and the rest from unrelated ones; the loss is a softmax "
            "over the positive and both kinds."
        ),
        (
            "A k-means tree is built over pre-trained item embeddings before training. Its first level separates topics, its "
            "second level variants of a topic; the sampler reads both."
        ),
        (
            "For a jazz ballad that was played, other jazz is worth contrasting and heavy metal is easily told apart. Another "
            "take of that same ballad must not be held against the listener at all, so the sampler never proposes it."
        ),
        (
            "Picture a library. The borrowed book's shelf companions are left out, since the reader would probably have liked "
            "them as well; opponents are fetched from other shelves in the same room, and a few from other rooms."
        ),
        (
            "In terms of sets: let L be the leaf of the positive and P the parent of L. Draw h samples from P minus L and e "
            "samples from the complement of P. Nothing is ever drawn from L."
        ),
        (
            "Offline, hotels are sorted into neighbourhoods of meaning by photos and reviews, and these into smaller ones. In "
            "training each booked hotel is compared with hotels one step away in this tree and with some that are far away."
        ),
        (
            "Apps resembling the installed one beyond a point are probably unseen rather than unwanted. We therefore shield the "
            "installed app's closest kin from being treated as wrong, while its more distant relatives are asked for on purpose."
        ),
        (
            "The difficulty of counterexamples is set before learning starts, by where things lie in the space of pictures and "
            "words, not by the scores of the model under training. Nearby but not adjacent: those are the instructive ones."
        ),
        (
            "News stories are grouped into themes and themes into threads. A story of the same thread reports the same event, "
            "and ignoring it says nothing; one of the same theme that was ignored says a lot; the other themes supply the bulk."
        ),
        (
            "Each ad has a group and a subgroup from grouping its creative vectors twice. The trainer's candidate list for a "
            "click holds eight ads with equal group and unequal subgroup, and eight with unequal group."
        ),
        (
            "The bank's funds fall into families found by their prospectuses. A customer's purchase is set against funds of the "
            "same family though not of the same strategy, which forces fine distinctions, and against strangers, which keeps "
            "the coarse ones."
        ),
        (
            "We found that twins of the purchased game, sampled at random as losers, tear apart what belongs together. A "
            "two-level partition by genre and look prevents this: twins are exempt, cousins are preferred opponents."
        ),
        (
            "We partition the catalogue in two stages by the proximity of frozen multimodal encodings. For a purchased good, "
            "half of the contrasting samples come from its large partition minus its small one, the rest from elsewhere, so "
            "that the ranker sees challenging foils without being punished for lookalikes."
        ),
        (
            "Our model organises songs into a tree of piles by how they sound and who plays them. A foil is taken from the same "
            "branch as the song that was played but never from the same twig, since a song on the same twig is most likely one "
            "the listener would enjoy too."
        ),
        (
            "The proposed sampler replaces uniform draws by draws that respect semantics: distractors of graded difficulty are "
            "found by the tree distance between the target and an unobserved entry, and entries at distance nought are treated "
            "as potential hits and skipped."
        ),
        (
            "Exam setters know it: a wrong answer from another subject is too easy, and one that paraphrases the right answer "
            "is unfair. For each lesson a learner took we set distractors from the same subject, skip paraphrases of the "
            "lesson, and add some from foreign subjects."
        ),
        (
            "Ranking vacancies by plain random contrast, the network merely learns to tell nurses from welders. With buckets of "
            "like vacancies it must also tell a night-shift nurse from a school nurse, while two adverts for practically the "
            "same ward are never set against each other."
        ),
        (
            "Reviewer's summary: the contribution lies in where the unclicked samples of the softmax come from. Restaurants are "
            "bucketed twice by text and image, coarse bucket mates become tough competitors, fine bucket mates are withheld as "
            "suspected positives, and the remainder is random."
        ),
        (
            "We mitigate the contradiction between informative and mistaken negatives by semantic groups at two resolutions. "
            "The coarse resolution tells which unobserved films are confusable with the watched one, the fine resolution which "
            "are so alike that calling them disliked would be an error."
        ),
        (
            "Sampling recipe in our training job: look up the cell and subcell of the true video; choose n ids at random with "
            "equal cell and other subcell; choose m ids with other cell; concatenate with the true id; apply cross-entropy."
        ),
        (
            "The loss pushes a profile that was liked away from profiles in the same broad type of person and away from other "
            "types, but leaves its doubles in peace. Types come from portraits and texts, grouped once and then once again "
            "inside every group, prior to optimisation."
        ),
        (
            "A good sparring partner is neither a beginner nor your twin. We pair each booked concert with concerts of the same "
            "genre family as found by grouping feature vectors, bar those indistinguishable from it, and now and then with a "
            "beginner."
        ),
        (
            "Hard examples picked by current model score drift and contain unlabelled favourites. Ours are picked by a static "
            "taxonomy induced from content and co-consumption vectors, in which siblings at the lowest level are barred and "
            "relatives one level up are favoured."
        ),
        (
            "The unobserved entries are stratified by affinity to the observed one: an innermost stratum that is exempt from "
            "contrast, a middle stratum that yields demanding counterexamples, and an outer stratum that yields undemanding "
            "ones. Strata are read off a two-tier grouping of item features."
        ),
        (
            "For groceries we found that oat milk against another brand of oat milk teaches nonsense, oat milk against drill "
            "bits teaches nothing, and oat milk against yoghurt teaches taste. An automatic hierarchy of products supplies "
            "pairs of the third kind, some of the second, none of the first."
        ),
        (
            "Our training objective contrasts an installed app with unvisited apps whose difficulty we can dial: two counts say "
            "how many are taken from the app's own coarse semantic region and how many from outside, while its immediate "
            "fine-grained neighbourhood is masked out to lower the rate of wrongly labelled foils."
        ),
    ),
    arguments=(
        Argument("n_clusters", 16, ("number of clusters", "number of coarse clusters", "top-level clusters"), low=1, high=65536),
        Argument("n_leaves", 8, ("number of leaf clusters", "sub-clusters per cluster", "fine clusters"), low=1, high=4096),
        Argument(
            "n_near",
            16,
            ("number of hard negatives", "negatives from the same cluster", "within-cluster negatives"),
            low=0,
            high=4096,
        ),
        Argument(
            "n_far",
            16,
            ("number of easy negatives", "negatives from other clusters", "out-of-cluster negatives"),
            low=1,
            high=4096,
        ),
        TEMPERATURE,
    ),
    example="layer = ClusteredNegatives(schema, n_clusters=2, n_leaves=2)\nlayer.meet(collection)\noutput = layer(scores, batch)",
)


class ClusteredNegatives(nn.Module):
    """(scores (B, I), batch) -> scalar: cross-entropy of each row's answer among itself, `n_near` items of its cluster that are
    not of its leaf, and `n_far` items of other clusters, each of them as likely. Where there are none of the one kind, there are
    more of the other; if all items are of one leaf, those of the leaf.

    Clusters are made when the block meets the collection, and fewer where items are few; until then there is one, of arbitrary
    leaves.
    """

    listed: Tensor  # (I - 2,) items, leaf by leaf
    starts: Tensor  # (C * M + 1,) where each leaf begins in it, and where the last one ends
    leaf: Tensor  # (I,) of every id
    place: Tensor  # (I,) where it is listed

    def __init__(
        self,
        schema: Schema,
        n_clusters: int = 16,
        n_leaves: int = 8,
        n_near: int = 16,
        n_far: int = 16,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        if n_near + n_far < 1:
            raise ValueError("an answer is compared with at least one other item")
        self.schema, self.n_near, self.n_far, self.temperature = schema, n_near, n_far, temperature
        known = schema.n_items - FIRST_ID
        self.n_leaves = min(n_leaves, max(1, known // ITEMS_A_LEAF))
        self.n_clusters = min(n_clusters, max(1, known // (ITEMS_A_LEAF * self.n_leaves)))
        self.register_buffer("listed", torch.zeros(known, dtype=torch.int64))
        self.register_buffer("starts", torch.zeros(self.n_clusters * self.n_leaves + 1, dtype=torch.int64))
        for name in ("leaf", "place"):
            self.register_buffer(name, torch.zeros(schema.n_items, dtype=torch.int64))
        self._lay_out(torch.arange(known) % self.n_leaves)

    def meet(self, collection: Collection) -> None:
        self._lay_out(leaves_of(likeness(self.schema, collection)[FIRST_ID:], self.n_clusters, self.n_leaves))

    def _lay_out(self, leaf: Tensor) -> None:
        self.leaf[FIRST_ID:] = leaf
        self.listed.copy_(leaf.argsort(stable=True) + FIRST_ID)
        self.place[self.listed] = torch.arange(len(leaf))
        self.starts[1:] = torch.bincount(leaf, minlength=len(self.starts) - 1).cumsum(0)

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        assert batch.answer is not None
        leaf = self.leaf[batch.answer]  # (B,)
        first = leaf - leaf % self.n_leaves  # of the cluster
        own = self.starts[leaf], self.starts[leaf + 1]
        cluster = self.starts[first], self.starts[first + self.n_leaves]
        everything = torch.zeros_like(leaf), torch.full_like(leaf, len(self.listed))
        itself = self.place[batch.answer], self.place[batch.answer] + 1
        others = _Span(*everything, *own).or_else(_Span(*everything, *itself))
        near = _Span(*cluster, *own).or_else(others).drawn(self.n_near)  # (B, H)
        far = _Span(*everything, *cluster).or_else(others).drawn(self.n_far)  # (B, E)
        items = self.listed[torch.cat([near, far], 1).clamp(max=len(self.listed) - 1)]
        compared = scores.gather(1, torch.cat([batch.answer[:, None], items], 1)) / self.temperature  # (B, 1 + H + E)
        alone = functional.pad(items == batch.answer[:, None], (1, 0))  # there is but one item
        return functional.cross_entropy(compared.masked_fill(alone, -torch.inf), torch.zeros_like(leaf))


@dataclass(frozen=True)
class _Span:
    """Places in the list for each row (B,): from `start` up to `end`, without those from `hole` up to `hole_end`."""

    start: Tensor
    end: Tensor
    hole: Tensor
    hole_end: Tensor

    def or_else(self, other: _Span) -> _Span:
        """The other span where this one is empty."""
        some = self.end - self.start - (self.hole_end - self.hole) > 0
        both = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return _Span(*(torch.where(some, one, another) for one, another in both))

    def drawn(self, n: int) -> Tensor:
        """Places (B, n), each as likely; `start` itself where there is none."""
        length = self.hole_end - self.hole
        room = self.end - self.start - length  # (B,)
        shares = torch.rand(len(self.start), n, device=self.start.device)
        place = (shares * room[:, None]).long() + self.start[:, None]
        return place + (place >= self.hole[:, None]) * length[:, None]


@torch.no_grad()
def likeness(schema: Schema, collection: Collection) -> Tensor:
    """(I, W): what items are to be like one another in. Vectors made elsewhere, each of unit length, and who took the item beside
    them where users are known; `item_content` where there are no such vectors."""
    names = [schema.vectors[i].name for i in schema.item_vectors]
    if not names:
        return item_content(schema, collection)
    parts = [functional.normalize(collection.items.vectors(name)[:, :-1], dim=1) for name in names]
    if schema.user is not None:
        n_users = schema.categorical[schema.index_of(schema.user)].cardinality
        parts.append(taken_together(collection.events, n_users, schema.n_items))
    return torch.cat(parts, 1)
