"""Joint ranking and calibration: cross-entropy, and beside it a contrast of each row with the other rows of the batch.

Notation: B rows, T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.losses import observed_bce

CARD = Card(
    name="joint_ranking_calibration",
    block="JointRankingCalibration",
    slot="loss",
    summary="Adds to the cross-entropy, which calibrates, a softmax over the rows of the batch, in which each row should "
    "stand out among the others in the logit of its own class.",
    equation="L = a BCE(y, z) - (1 - a) mean_i log(exp(f_{y_i}(x_i)) / sum_j exp(f_{y_i}(x_j))), with class logits f_1 = z / "
    "2 and f_0 = -z / 2, so that sigmoid(z) is their softmax; j over the rows of the batch (Sheng et al., KDD 2023, "
    "JRC, section 3.2, whose model gives both logits freely, and whose context is a session)",
    cues=(
        "joint optimization of ranking and calibration",
        "jointly optimize ranking and calibration",
        "joint ranking and calibration",
        "ranking ability and calibration",
        "calibration ability and ranking ability",
        "calibrated ranking",
        "regression compatible ranking",
        "listwise loss",
        "list-wise loss",
        "listwise softmax loss",
        "combine pointwise and listwise",
        "combining pointwise loss with ranking loss",
        "pointwise loss and ranking loss",
        "logit of the same class contrasted within the batch",
        "contrasting the logits of samples in the same context",
        "listwise cross-entropy",
    ),
    descriptions=(
        "A listwise softmax loss over the samples of a batch is added to the pointwise cross-entropy.",
        "The pointwise term keeps predictions calibrated, and the contrastive term improves their order.",
        "A clicked sample's logit competes with those of all other samples of its context in a softmax.",
        "Ranking ability and calibration are optimised together, by a weighted sum of two losses on the same logits.",
        "Each sample should have a larger logit for its own class than the other samples of the batch have for that class.",
        "Negatives are contrasted as well: their no-click logit should be high among the no-click logits of the batch.",
        (
            "Pure ranking losses give scores that are no probabilities, and pure cross-entropy ignores the order within a "
            "list. We optimise both: the output is still trained by log loss, and in addition the probability that a row is "
            "the one of its class within its context, a softmax over rows, is maximised."
        ),
        (
            "We propose a hybrid objective. The generative part normalises the class logit over the samples in the batch; the "
            "discriminative part normalises over the two classes. The former sharpens the comparison between samples, the "
            "latter preserves the probabilistic meaning of the output."
        ),
        (
            "Our loss is a convex combination of binary cross-entropy and a softmax cross-entropy in which the candidates of "
            "one batch are each other's alternatives. The mixing coefficient trades calibration against AUC."
        ),
        (
            "Ads are charged by predicted click rate, so that predictions have to be calibrated; they are also sorted, so that "
            "their order must be right. A contrastive term between samples with unlike labels is added to the usual loss to "
            "serve the second aim without harming the first."
        ),
        (
            "A thermometer must be right in degrees, and it must also tell the warmer of two rooms. The usual loss attends to "
            "degrees. We add a term that lines up all rooms of a batch and asks that the warm ones stand out in the line."
        ),
        (
            "Besides asking each impression by itself whether it was clicked, we ask the whole batch which of them were: the "
            "clicked ones share one pot of probability with all others, and the larger their slice the smaller the loss. Both "
            "questions are answered by the same number."
        ),
        (
            "Loss = a * bce(z, y) + (1 - a) * mean(logsumexp over rows of s*z/2, minus s*z/2 of the row), s being plus one for "
            "clicks and minus one for the rest. The shift of z, which the second part cannot see, is pinned by the first."
        ),
        (
            "Travellers compare offers side by side, and our objective does so as well. The booked room should win a softmax "
            "election among the rooms in the batch; at the same time each room's booking odds are fitted in absolute terms."
        ),
        (
            "Two forces act on a song's score. One pulls it to the log-odds of being played. The other pushes played songs up "
            "and skipped songs down relative to the rest of the minibatch, through a normalisation that runs over songs, not "
            "over outcomes."
        ),
        (
            "For the news feed we regret both wrong levels and wrong order. Wrong levels cost log loss. Wrong order costs the "
            "negative log share of the read article's exponentiated score in the sum over articles shown with it."
        ),
        (
            "A scale that is off by a constant still sorts well; one that is right on average may sort badly. We train against "
            "either failure, by mixing an element-by-element likelihood with one that is normalised across elements."
        ),
        (
            "The bank's response model is asked for probabilities and used for ranking. Its gradient is a mixture: a share "
            "comes from each customer's own label, the other from the customer's standing among all customers in the same "
            "batch, taken separately for responders and non-responders."
        ),
        (
            "Normalise over columns and you get the probability of a click for a row; normalise over rows and you get the "
            "probability that, of all rows, this is the clicked one. We maximise both, weighting the first by alpha."
        ),
        (
            "Order is improved by competition. Within every step the positive game sessions compete with all sessions for a "
            "unit of mass under a softmax, and the negative sessions do likewise with flipped sign; a per-session logistic "
            "term holds the level."
        ),
        (
            "No pairs are sampled. The comparison of a row with all others of its batch happens at once through the "
            "log-sum-exp of scores, and is added, with a coefficient, to the plain logistic objective whose outputs can be "
            "used in bids."
        ),
        (
            "Place recommendations are shown as lists, yet trained one by one. We keep the one-by-one likelihood, since "
            "downstream systems need its levels, and supplement it with a list likelihood: the probability that this "
            "visited place, and none of those next to it, is the one."
        ),
        (
            "The second term is blind to adding a constant to all scores. The first is not. Together they give scores whose "
            "differences are trained by competition inside the batch and whose average matches the observed rate."
        ),
        (
            "In our app ads, switching from pure log loss to the mixture raised group AUC and left the ratio of predicted to "
            "observed installs at one. The addition costs a single reduction over the batch dimension."
        ),
    ),
    arguments=(
        Argument(
            "calibration_weight",
            0.5,
            (
                "weight of the pointwise loss",
                "weight of the calibration loss",
                "weight of the cross-entropy",
                "calibration weight",
            ),
            low=0.1,
            high=1.0,
        ),
    ),
    example="layer = JointRankingCalibration(calibration_weight=0.7)\noutput = layer(logits, batch)",
)


class JointRankingCalibration(nn.Module):
    """(logits (B, T), batch) -> a scalar, summed over tasks; labels that were not observed take no part.

    The context of a row is the batch that it is drawn in, not its session. Both terms are 0 for a task without a label.
    """

    def __init__(self, calibration_weight: float = 0.5) -> None:
        super().__init__()
        if not 0 < calibration_weight <= 1:
            raise ValueError(
                f"the cross-entropy's weight lies above 0, for nothing else sets the level, not {calibration_weight}"
            )
        self.calibration_weight = calibration_weight

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        assert batch.labels is not None
        labels = batch.labels.to(logits.dtype)
        level = observed_bce(logits, labels)
        return self.calibration_weight * level + (1 - self.calibration_weight) * contrast_over_rows(logits, labels)


def contrast_over_rows(logits: Tensor, labels: Tensor) -> Tensor:
    """-log of each row's share among all rows in the logit of its own class: the mean over observed rows, summed over tasks.

    `logits` (B, T) or (B,) when T = 1; `labels` (B, T), NaN where not observed. A scalar, 0 where nothing is to be compared.
    """
    half, observed = logits.reshape(labels.shape) / 2, ~torch.isnan(labels)  # (B, T)
    lowest = torch.finfo(half.dtype).min
    all_up, all_down = (f.masked_fill(~observed, lowest).logsumexp(0) for f in (half, -half))  # (T,)
    surprise = torch.where(labels == 1, all_up - half, all_down + half)  # (B, T)
    return (torch.where(observed, surprise, 0.0).sum(0) / observed.sum(0).clamp(min=1)).sum()
