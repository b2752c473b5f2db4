"""Draws items that are taken together close to one another: several positives of an item at a time, none at another's cost.

Notation: B rows, I ids of the target item, K neighbours of an item in the graph of items, P positives drawn, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers.co_occurrence import taken_along
from sandboxes.kit.layers.feature_embedding import FeatureEmbedding
from sandboxes.kit.layers.item_fields import ItemFields
from sandboxes.kit.schema import Schema

LEAST_NORM = 1e-6  # of a vector that is brought to unit length

CARD = Card(
    name="multi_positive_contrast",
    block="MultiPositiveContrast",
    slot="auxiliary",
    takes=("batch", "embedding"),
    needs=("items", "answers", "user"),
    summary="A contrastive loss on item vectors in which several co-occurring items are positives of one, each held against the "
    "negatives alone, so that positives do not push one another away.",
    equation="L_i = -1/P sum_p log exp(z_i . z_p / tau) / (exp(z_i . z_p / tau) + sum_n exp(z_i . z_n / tau)), p drawn from the "
    "neighbours of i in the item graph (Barbano et al., ICLR 2023, section 3; with all positives in the denominator Khosla et "
    "al., NeurIPS 2020, eq. 2)",
    cues=(
        "multi-positive contrastive loss",
        "multiple positives per anchor",
        "multiple positive samples",
        "several positives per anchor",
        "supervised contrastive loss",
        "supervised contrastive learning",
        "mutual suppression among positive samples",
        "positives do not suppress each other",
        "competition among positives",
        "homogeneous item graph",
        "homogeneous graph of items",
        "item co-occurrence graph",
        "neighbours in the graph as positives",
        "neighbors in the item graph as positives",
        "neighborhood contrastive learning",
        "contrastive loss over co-occurring items",
    ),
    descriptions=(
        "Items clicked together by the same users are positives of each other in a contrastive loss.",
        "An anchor has several positive samples, all of which are pulled towards it.",
        "Each positive is contrasted with the negatives only, not with the other positives.",
        "The denominator of the softmax leaves out the remaining positives of the anchor.",
        "Neighbours on the item graph are treated as positives and other items of the batch as negatives.",
        "Item embeddings are learned by contrasting co-occurring items with random ones.",
        (
            "We construct a homogeneous graph of items from co-clicks. For each node, multiple neighbours are sampled as "
            "positives. Since the usual softmax makes the positives of an anchor compete with each other, we modify the "
            "contrastive loss so that every positive has a denominator of its own with negatives only."
        ),
        (
            "InfoNCE assumes a single positive. Generalising it in the supervised fashion, the loss averages over all positives "
            "of an anchor. Removing the other positives from the normalisation avoids that well-aligned positives are repelled."
        ),
        (
            "To strengthen long-tail items, an auxiliary objective aligns every item with those that appear in the same users' "
            "histories, in contrast to the in-batch items with which it does not co-occur."
        ),
        (
            "The graph neighbours of the target item, weighted by how often they are bought together, provide P positive views; "
            "the temperature-scaled log-likelihoods of these views are averaged and added to the recommendation loss."
        ),
        (
            "A song has many companions on people's playlists. We want it near all of them. Asking which companion is nearest "
            "would set them against each other, so each is judged by itself against songs from elsewhere."
        ),
        (
            "Picture a table at which an item sits with its friends. The game is not to pick the best friend: for every friend "
            "separately we check that it sits closer than the strangers do."
        ),
        (
            "In formula, with s for scaled cosines: mean over friends f of softplus(logsumexp of strangers minus s_f). No term "
            "contains two friends."
        ),
        (
            "Dishes eaten by the same guests get near one another in the space from which the menu is ranked. Guests' logs give "
            "the pairs, a handful for every dish at each step, and dishes chosen by unrelated guests are kept at a distance."
        ),
        (
            "Apps form a network in which a line means shared owners. Beside predicting the next install, the encoder must place "
            "apps joined by a line at a small angle, with unjoined apps of the batch for contrast."
        ),
        (
            "Hotels seldom booked borrow strength from those booked by the same travellers: all of the latter attract them at "
            "once. A hotel already attracted is not pushed back when another of the group is still far."
        ),
        (
            "The usual row-wise classification has one right column. Here a row has many right columns, and we split it into as "
            "many questions, each with one right column and all the wrong ones."
        ),
        (
            "For news, stories read in one sitting belong together. The side objective gathers them, whatever number there are, "
            "and scatters those that never shared a reader; gradients on gathered stories never point outwards."
        ),
        (
            "Funds held jointly define who is kin to whom. The loss on kinship has a sum over kin outside the logarithm and a "
            "sum over non-kin inside; kin never appear in the latter."
        ),
        (
            "Instead of two noisy copies of one record, the views are different objects: the game itself and other games of its "
            "players. Several of them are drawn per step, and their agreement with the game counts on the average."
        ),
        (
            "We regularise item vectors by relations among items. For an anchor, several partners are sampled among the items "
            "most often chosen by the same people; each partner yields its own softmax against foils, in whose denominator "
            "none of the other partners occurs, and the losses are averaged."
        ),
        (
            "Our auxiliary objective deals with anchors that have more than one correct match. Placing all matches in a "
            "common normaliser would make raising one lower the others; we therefore normalise every match with the "
            "mismatches exclusively, so that all matches can approach the anchor at once."
        ),
        (
            "The proposed alignment loss uses an item-to-item network derived from joint purchases. Adjacent nodes, drawn in "
            "proportion to the strength of the link, act as correct matches for the product at hand, non-adjacent products "
            "from the same mini-batch as mismatches, with similarity measured by scaled cosine."
        ),
        (
            "In order to supply scarcely watched films with gradients, we require their vectors to lie close to those of a "
            "handful of co-watched films and remote from unrelated ones. The requirement is expressed by a logistic "
            "comparison per co-watched film, added to the main ranking loss with a tunable factor."
        ),
        (
            "We generalise the one-match contrastive criterion: given a set of kin of the anchor, the criterion takes the "
            "mean over kin of minus log of the kin's exponentiated similarity divided by itself plus the total of the "
            "strangers' exponentiated similarities. Kin-to-kin rivalry is absent by construction."
        ),
        (
            "Views are not produced by perturbation in our framework. They are other members of the neighbourhood that "
            "collective behaviour defines around an item, and several are employed per step, giving a lower-variance estimate "
            "of how the neighbourhood should contract."
        ),
        (
            "From the training log we connect two adverts if many people clicked both, keep the strongest connections per "
            "advert, and let these define similarity supervision for the advert encoder. Adverts of the batch that happen to "
            "be connected to the anchor are removed from its foils, to avoid pushing kin away."
        ),
        (
            "How to code it: logits to P sampled kin, logsumexp over non-kin in the batch, then logaddexp(kin logit, that) "
            "minus kin logit, mean over P. Do not put the P logits into one softmax; they would fight each other."
        ),
        (
            "With the ordinary loss, a song close to companion A is told that it is still wrong, since companion B has a "
            "smaller share of the same cake. With ours there is no common cake: A and B each have one to divide with the "
            "outsiders, and both can have nearly all of it."
        ),
        (
            "A shepherd gathers a flock by calling every sheep to the bell while the dog keeps strangers away. He does not "
            "ask which sheep is nearest the bell, so no sheep is shoved aside for another. The flock, here, is courses taken "
            "by the same students; the bell is one of them."
        ),
        (
            "Reviewer's summary: side loss on the item tower, supervision from co-consumption, many matches per anchor, "
            "decoupled denominators. Users do not enter, apart from having defined the network; sequences are not augmented."
        ),
        (
            "Minus one over P times the sum over partners p of the log of a fraction: on top e to the similarity with p, "
            "below the same plus e to the similarity with each outsider. The partners were drawn from the twenty places most "
            "often visited by visitors of this place."
        ),
        (
            "In dating, profiles liked by the same persons are akin. We draw four kin of the liked profile each step and "
            "bring all four nearer on the unit sphere, each measured against profiles liked by unrelated persons; that one is "
            "already near is no reason for another to be pushed off."
        ),
        (
            "Job ads sharing applicants should have vectors pointing the same way. As an ad has dozens of such siblings, the "
            "training step looks at several, asks a separate yes-or-no contest for each against unrelated ads, and lets the "
            "mean outcome, scaled by a tenth, join the application loss."
        ),
    ),
    arguments=(
        Argument(
            "n_neighbours",
            20,
            ("neighbors per item in the graph", "neighbours per item in the graph", "degree of the item graph"),
            low=1,
            high=1000,
        ),
        Argument("n_positives", 4, ("number of positives", "positives per anchor", "sampled positives"), low=1, high=100),
        Argument("positives_compete", False, ("positives in the denominator", "all positives in the denominator")),
        Argument("temperature", 0.2, ("temperature", "temperature coefficient"), low=0.01, high=10.0),
        Argument("projection_dim", 64, ("projection dimension", "projection head dimension"), low=1, high=4096),
        Argument("loss_weight", 0.1, ("weight of the contrastive loss", "contrastive loss weight"), low=1e-6, high=10.0),
    ),
    example="layer = MultiPositiveContrast(schema, 8, n_positives=2)\nlayer.meet(collection)\noutput = layer(batch, embedding)",
)


class MultiPositiveContrast(nn.Module):
    """(batch, embedding) -> a scalar, `loss_weight` times the mean loss of the rows whose answer has neighbours; 0 without such.

    An item's vector is that of its fields, summed, projected and of unit length. Of the answer's `n_neighbours` nearest items by
    who took both (`taken_along`), `n_positives` are drawn, with chances as these similarities; its negatives are the answers of
    other rows that are not among these neighbours.
    """

    neighbours: Tensor  # (I, K)
    similarity: Tensor  # (I, K), 0 where there are no more neighbours

    def __init__(
        self,
        schema: Schema,
        embedding_dim: int,
        n_neighbours: int = 20,
        n_positives: int = 4,
        positives_compete: bool = False,
        temperature: float = 0.2,
        projection_dim: int = 64,
        loss_weight: float = 0.1,
    ) -> None:
        super().__init__()
        assert schema.user is not None
        self.n_users = schema.categorical[schema.index_of(schema.user)].cardinality
        self.n_positives, self.positives_compete = n_positives, positives_compete
        self.temperature, self.loss_weight = temperature, loss_weight
        self.item_fields = ItemFields(schema)
        self.project = nn.Linear(embedding_dim, projection_dim, bias=False)
        shape = schema.n_items, min(n_neighbours, schema.n_items)
        self.register_buffer("neighbours", torch.zeros(shape, dtype=torch.int64))
        self.register_buffer("similarity", torch.zeros(shape))

    def meet(self, collection: Collection) -> None:
        self.item_fields.meet(collection)
        found = taken_along(collection.events, self.n_users, *self.neighbours.shape)
        for own, new in zip((self.neighbours, self.similarity), found, strict=True):
            own.copy_(new)

    def forward(self, batch: Batch, embedding: FeatureEmbedding) -> Tensor:
        assert batch.answer is not None
        near, weights = self.neighbours[batch.answer], self.similarity[batch.answer]  # (B, K)
        some = weights.sum(1) > 0  # (B,)
        drawn = torch.multinomial(torch.where(some[:, None], weights, 1.0), self.n_positives, replacement=True)  # (B, P)
        anchors = self._vectors(batch.answer, embedding)  # (B, D)
        positives = self._vectors(near.gather(1, drawn).flatten(), embedding).reshape(*drawn.shape, -1)  # (B, P, D)
        to_positives = torch.einsum("bd,bpd->bp", anchors, positives) / self.temperature
        kin = (near[:, :, None] == batch.answer) & (weights > 0)[:, :, None]  # (B, K, B)
        others = ~kin.any(1) & (batch.answer[:, None] != batch.answer)  # (B, B)
        to_others = (anchors @ anchors.T / self.temperature).masked_fill(~others, -torch.inf)
        losses = multi_positive_loss(to_positives, to_others, self.positives_compete)  # (B,)
        return self.loss_weight * (losses * some).sum() / some.sum().clamp(min=1)

    def _vectors(self, items: Tensor, embedding: FeatureEmbedding) -> Tensor:
        """(n,) -> (n, D), of unit length."""
        distinct, place = torch.unique(items, return_inverse=True)
        fields = self.item_fields(embedding, distinct).sum(1)
        return functional.normalize(self.project(fields), dim=1, eps=LEAST_NORM)[place]


def multi_positive_loss(positives: Tensor, negatives: Tensor, compete: bool = False) -> Tensor:
    """Of each row's logits of positives (B, P) and of negatives (B, N), minus infinity where there is none: the mean over
    positives of -ln of its share among itself and the negatives (B,); where they `compete`, among all positives and the
    negatives."""
    against = negatives.logsumexp(1, keepdim=True)  # (B, 1)
    if compete:
        return (torch.logaddexp(against, positives.logsumexp(1, keepdim=True)) - positives).mean(1)
    return (torch.logaddexp(against, positives) - positives).mean(1)
