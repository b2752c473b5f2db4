"""Bayesian personalised ranking: an item taken should score above one drawn at random.

Notation: B rows, I ids of the target item.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.layers.drawn_instead import drawn_instead

CARD = Card(
    name="pairwise_ranking",
    block="PairwiseRanking",
    slot="item_loss",
    needs=("items",),
    summary="Trains so that the item a user took scores above another one drawn at random.",
    equation="-ln sigmoid(s(q, i) - s(q, j)), i taken, j drawn from the others (Rendle et al., UAI 2009, eq. 4.2)",
    cues=(
        "pairwise ranking loss",
        "bayesian personalized ranking",
        "bayesian personalised ranking",
        "bpr loss",
        "bpr objective",
        "bpr",
        "pairwise loss between observed and unobserved",
        "observed interactions higher than unobserved",
        "higher scores than unobserved items",
        "rank positive items above negative items",
        "log-sigmoid of the score difference",
        "one negative item is sampled for each positive",
        "pairs of positive and negative items",
        "pairwise preference",
    ),
    descriptions=(
        "Every item a user has taken should score higher than an item that the user has not taken.",
        (
            "For each observed interaction one unobserved item is drawn, and the difference of the two scores passes a "
            "log-sigmoid."
        ),
        "The loss looks at the difference between the scores of a positive and a sampled negative item.",
        "The model is optimised for relative order: observed items above unobserved ones.",
        "We minimise -ln sigma(y_ui - y_uj) over triples of a user, a positive item and a negative item.",
        "A pairwise objective assumes that users prefer what they interacted with to what they did not.",
        (
            "To learn the parameters, we employ a pairwise objective that encourages the prediction of an observed entry to "
            "exceed those of its unobserved counterparts. Triples (u, i, j) are built by sampling j uniformly from the items "
            "that u has not interacted with."
        ),
        (
            "As only implicit feedback is available, absolute scores carry no meaning; what is trained is the order of two "
            "items for the same user. The gradient vanishes once the clicked one leads by far."
        ),
        (
            "Training data consist of pairs of products, one bought and one not bought by the same customer. The loss is the "
            "softplus of the amount by which the second outscores the first."
        ),
        (
            "The recommendation loss is the sum over pairs of positive and negative items of the negative log of the sigmoid "
            "of their score margin, with L2 regularisation of the embeddings."
        ),
        (
            "A listener heard one song and never touched another. We do not ask how good either is. We ask that the first be "
            "put before the second, and pay for it with a smooth penalty that dwindles as the gap grows."
        ),
        (
            "For each visited museum a coin decides on some other museum of the city. If the model rates the stranger higher, "
            "the step is large; if the visited one leads clearly, almost nothing happens."
        ),
        (
            "Two scores enter, one number leaves: log(1 + exp(b - a)), where a belongs to the article that was opened and b "
            "to one that was picked blindly from the archive."
        ),
        (
            "Order is everything. Instead of fitting zeros and ones, we push the game that was installed up and a randomly "
            "chosen other game down until they are the right way round."
        ),
        (
            "Our criterion approximates the area under the curve per user: it counts, smoothly, how many wrongly ordered "
            "couples of chosen and not chosen items there are."
        ),
        (
            "Whoever books a hotel has passed over others. The trainer takes one of those passed over, any, and demands that "
            "it be rated lower for this guest."
        ),
        (
            "Comparisons, not labels, drive the optimisation. Each comparison is between a dish from the order history and a "
            "dish that does not appear there, both seen through the same customer's vector."
        ),
        (
            "The likelihood that the user likes the one better than the other is modelled as a logistic function of the gap "
            "between the two estimates, and the product over all such couples is maximised."
        ),
        (
            "Negative sampling at a ratio of one: next to each event of the log stands a fake event of the same user with a "
            "random video, and only the difference between both outputs is judged."
        ),
        (
            "In training, a winner and a loser are presented together. The winner stems from what the client did, the loser "
            "from what she might have done; the network must see who is who by its scores."
        ),
    ),
    example="layer = PairwiseRanking()\noutput = layer(scores, batch)",
)


class PairwiseRanking(nn.Module):
    """(scores (B, I), batch) -> scalar: each row's answer against one other item, drawn at random."""

    def forward(self, scores: Tensor, batch: Batch) -> Tensor:
        assert batch.answer is not None
        others = drawn_instead(batch.answer, scores.shape[1])
        taken, drawn = (scores.gather(1, which[:, None]).squeeze(1) for which in (batch.answer, others))
        return pairwise_loss(taken, drawn)


def pairwise_loss(taken: Tensor, others: Tensor) -> Tensor:
    """-mean ln sigmoid(taken - others), scalar; scores (B,) of the items taken and of others (Rendle et al., UAI 2009, eq.
    4.2)."""
    return functional.softplus(others - taken).mean()
