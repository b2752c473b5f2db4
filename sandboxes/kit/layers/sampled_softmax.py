"""Softmax over the items of a batch and a few random ones, instead of over all items.

Notation: B rows, S random items, I ids of the target item.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.collection import Collection
from sandboxes.kit.schema import FIRST_ID, Schema

LEAST_SHARE = 1e-9  # of an item never seen, before the logarithm

# What several cards with sampled negatives have in common.
TEMPERATURE = Argument("temperature", 1.0, ("temperature", "softmax temperature"), low=0.01, high=10.0)

CARD = Card(
    name="sampled_softmax",
    block="SampledSoftmax",
    slot="item_loss",
    needs=("items", "answers"),
    summary="Trains on a softmax over the items of the batch and a few drawn at random, with scores lowered by how often an "
    "item comes to be compared.",
    equation="-log softmax_i(s(q, i) / tau - ln(B p(i) + S / I)) over the batch's items and S random ones (Yi et al., RecSys "
    "2019, eq. 3; with uniform items Yang et al., WWW 2020, section 3.2)",
    cues=(
        "sampled softmax",
        "in-batch negatives",
        "in-batch softmax",
        "in-batch negative sampling",
        "batch softmax",
        "mixed negative sampling",
        "other items in the batch as negatives",
        "other items of the mini-batch serve as negatives",
        "sampling-bias-corrected softmax",
        "sampling bias correction",
        "logq correction",
        "log q correction",
        "popularity correction of in-batch negatives",
        "items of the same batch as negatives",
    ),
    descriptions=(
        "The items of the other rows in a batch serve as the negatives of each row.",
        "Instead of normalising over the whole catalogue, a softmax runs over the batch's items and a few random ones.",
        (
            "Logits are corrected by the logarithm of an item's probability of being drawn, since popular items are negatives "
            "more often."
        ),
        "Negatives from the batch are mixed with others drawn uniformly from the catalogue.",
        "A temperature divides the scores before a softmax among the sampled candidates.",
        "The query and item towers are trained with a cross-entropy over in-batch candidates.",
        (
            "Computing the partition function over millions of items is infeasible. We therefore optimise a sampled softmax "
            "in which positives of other examples act as negatives, and subtract the log of the estimated sampling "
            "probability from each logit to remove the bias towards frequent items."
        ),
        (
            "For retrieval, the user encoder and the item encoder are trained jointly: within each mini-batch of B pairs, the "
            "score matrix is of size B by B, its diagonal holds the positives, and a row-wise cross-entropy is minimised."
        ),
        (
            "Because in-batch negatives only cover items with interactions, we mix in items sampled uniformly from the "
            "corpus, so that rarely consumed items are pushed down too."
        ),
        (
            "The training objective contrasts the purchased product with K sampled products by a softmax with temperature; "
            "the proposal distribution is accounted for in the logits."
        ),
        (
            "Every listener in the batch came with one song. For a given listener, the songs that came with the others are "
            "the wrong choices, at no extra cost; the right one has to win among them. Hits turn up as wrong choices all the "
            "time, which is unfair to them, and so a song's score is reduced by the log of how common it is."
        ),
        (
            "We avoid touching the full list of apps at every step. A row competes only against what its neighbours in the "
            "batch installed, plus some apps taken blindly from the store."
        ),
        (
            "Take the table of products between all query vectors and all article vectors of the step. Each row of the table "
            "is a classification problem whose answer lies on the diagonal."
        ),
        (
            "The denominator is estimated rather than computed: a handful of destinations stands for all of them, each "
            "weighed by the inverse of its chance of being picked."
        ),
        (
            "How do we teach the model which of two million videos belongs to a viewer without scoring two million? By "
            "letting it tell the true one from those that happen to be at hand, namely the videos watched by others in the "
            "same chunk of data."
        ),
        (
            "Engineering note: one matrix product per step gives all positives and negatives. A vector with the logs of "
            "empirical frequencies is subtracted column by column; duplicates of the positive are masked."
        ),
        (
            "A restaurant seen in many orders would be punished as a wrong answer too often if we did nothing. Its raw score "
            "is thus discounted by ln of its rate of appearance in training batches before normalisation."
        ),
        (
            "Training treats choice as a small lottery: the chosen offer against those chosen by the other customers of that "
            "moment, and against a few nobody of them chose."
        ),
        (
            "The loss for a query is log-sum-exp over candidates at hand minus the score of the clicked one, scores being "
            "inner products of normalised vectors over a small constant."
        ),
        (
            "No hard mining is used. Wrong games for one player are simply the right games of the thousand other players "
            "processed with her, together with a uniform draw from the shop's shelf."
        ),
    ),
    arguments=(
        TEMPERATURE,
        Argument(
            "uniform",
            0,
            ("uniformly sampled negatives", "number of uniform negatives", "random negatives", "number of sampled negatives"),
            low=0,
            high=65536,
        ),
    ),
    example="layer = SampledSoftmax(schema, temperature=0.5, uniform=2)\noutput = layer(scores, batch)",
)


class SampledSoftmax(nn.Module):
    """(scores (B, I), batch) -> scalar: cross-entropy of each row's answer among the answers of all rows and `uniform` items
    drawn at random; `among` does the same with scores of these items alone.

    A score is lowered by the logarithm of how often its item comes to be compared, since popular items are negatives more often
    (Bengio and Senécal, 2008; Yi et al., RecSys 2019, eq. 3; with uniform items Yang et al., WWW 2020, section 3.2). Equal
    answers of other rows are no negatives.
    """

    shares: Tensor  # (I,) of training events; sums to 1

    def __init__(self, schema: Schema, temperature: float = 1.0, uniform: int = 0) -> None:
        super().__init__()
        self.temperature, self.uniform = temperature, uniform
        self.register_buffer("shares", torch.full((schema.n_items,), 1 / schema.n_items))

    def meet(self, collection: Collection) -> None:
        self.shares.copy_(collection.counts / max(len(collection.events), 1))

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        assert batch.answer is not None
        return self.among(batch.answer, lambda items: scores[:, items])

    def among(self, answers: Tensor, scores_of: Callable[[Tensor], Tensor]) -> Tensor:
        """`scores_of` gives the scores (B, n) of items (n,); `answers` (B,) -> scalar."""
        random = torch.randint(FIRST_ID, len(self.shares), (self.uniform,), device=answers.device)  # (S,)
        items = torch.cat([answers, random])  # (B + S,)
        expected = len(answers) * self.shares[items] + self.uniform / max(len(self.shares) - FIRST_ID, 1)
        corrected = scores_of(items) / self.temperature - expected.clamp(min=LEAST_SHARE).log()  # (B, B + S)
        own = torch.arange(len(answers), device=answers.device)
        same = answers[:, None] == items  # (B, B + S)
        same[own, own] = False
        return functional.cross_entropy(corrected.masked_fill(same, -torch.inf), own)
