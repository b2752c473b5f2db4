"""Conversions that are still to come: rows weighed by how likely their label is what it will be in the end.

Notation: B rows, T tasks, T' of them delayed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Argument, Card
from sandboxes.kit.layers.late_labels import Late, LateLabels
from sandboxes.kit.schema import Schema

SHORTEST = 1e-6  # wait, in units of the mean delay: within none at all nothing can have arrived

CARD = Card(
    name="delay_weighted",
    block="DelayWeighted",
    slot="loss",
    needs=("delays",),
    summary="Weighs each row of the cross-entropy by the ratio of its label's final chance to its chance so far, given how long "
    "it has been watched.",
    equation="L = y / F(e) l_1 + (1 - y) (1 - p) / (1 - p F(e)) l_0 with l_1 = -log p, l_0 = -log(1 - p) and no gradient through "
    "the weights; F(e) = 1 - exp(-r(x) e), with r fitted to the delays d <= e that were seen, -log r + r d + log F(e) "
    "(importance weights as Yasui et al., WWW 2020, for labels at one moment; for a stream of labels Ktena et al., RecSys 2019, "
    "and Yang et al., AAAI 2021)",
    cues=(
        "importance weighting for delayed feedback",
        "importance weights correct the delayed labels",
        "fake negative weighted",
        "fake negative weighted loss",
        "fake negatives",
        "feedback shift",
        "feedback shift importance weighting",
        "delayed positives",
        "elapsed-time sampling",
        "false negatives caused by the delay",
        "inverse of the probability that the conversion has been observed",
        "importance sampling corrects the observed conversion distribution",
        "delayed labels as false negatives",
        "real negatives and delayed positives",
    ),
    descriptions=(
        "Rows of the loss carry weights which turn the distribution of the labels seen so far into that of the final labels.",
        "A positive that had little time to arrive counts for several, since as many like it are still missing.",
        "A recent negative has a weight below one, the probability that it is a real one.",
        "Importance weights correct the bias of false negatives whose conversions come after training.",
        "Each observed conversion is divided by the chance that it would have been reported by now.",
        "The weighted cross-entropy is in expectation the one that mature labels would give.",
        (
            "Training on labels collected too early estimates the wrong distribution: some conversions are recorded as "
            "negatives. We apply importance sampling, reweighting each instance by the ratio between the probability of its "
            "label under the final and under the observed distribution, so that the ordinary cross-entropy becomes "
            "consistent."
        ),
        (
            "The weight of an observed positive is the reciprocal of the probability that a conversion is reported within the"
            " time since the click, and the weight of an observed negative is the probability of no conversion at all over "
            "that of none reported so far. No gradient is taken through either."
        ),
        (
            "Instances enter training as negatives before their outcome is known, and a share of them is fake. Rather than "
            "wait for the attribution window to close, we keep the loss simple and multiply its terms by estimated ratios of "
            "densities, which depend on the elapsed time and on the model's present prediction."
        ),
        (
            "In contrast to a joint likelihood of conversion and delay, the estimator of the delay serves only to compute "
            "weights. It is fitted to the conversions that have been seen, with their truncation taken into account, while "
            "the predictor minimises a weighted log loss."
        ),
        (
            "A pollster who hears from few of the young lets each of them speak for many. We do the same with fresh "
            "impressions: their rare early sales stand for all those that their age group will still bring, and their silence"
            " is discounted."
        ),
        (
            "Bookings trickle in for weeks. When the model of the hotel portal is fitted, a booking that came from a one-day-"
            "old search gets a factor of six if only a sixth of bookings come within a day, and the empty searches of that "
            "day are scaled down in accordance."
        ),
        (
            "Row weight: label 1 gives 1 over G(age); label 0 gives (1-q) over (1-q G(age)). G is the distribution function "
            "of lags, q the detached output. Multiply, average, descend. Cap the first at twenty."
        ),
        (
            "The naive fit to this morning's log of installs is too low, and it is worst for slow campaigns. The remedy "
            "leaves the network and its sigmoid as they were and alters only how much every example counts, by a factor taken"
            " from how complete the record of such an example should be by now."
        ),
        (
            "Of defaults on young loans a bank has seen only the hasty ones. They are scaled up by the inverse of the "
            "fraction that would have surfaced at the loan's age. Good standing of a young loan is scaled down, because some "
            "of it is merely good standing so far."
        ),
        (
            "Two quantities decide a training example's say: its age, and the speed at which outcomes of its kind are "
            "reported. From both follows the completeness of its record. An outcome in an incomplete record is worth more "
            "than one in a complete record, and the lack of one is worth less."
        ),
        (
            "Subscriptions recorded by midnight are a thinned sample of all subscriptions that tonight's trials will lead to,"
            " the thinning being heavier for later trials. Horvitz and Thompson tell what to do: divide each recorded one by "
            "its probability of being recorded, and correct the others so that the expectation stays."
        ),
        (
            "As a teacher grades an unfinished exam by what is usually done at that hour, the objective credits early answers"
            " beyond their number and does not hold blank pages against the pupil until time has run out."
        ),
        (
            "Labels from a stream of purchases are wrong in one direction: a one is final, a zero is provisional. Our "
            "correction multiplies ones by more than one and zeros by less than one; the factors tend to one as rows grow "
            "old, so that mature data are treated as usual."
        ),
        (
            "Engineering: the lag model is a log-linear exponential with its own small table, trained beside the ranker by a "
            "loss on positives only. Its output is detached and enters the ranker's criterion as a per-row factor, clipped to"
            " avoid the noise of a few giant ones. Nothing of it is exported."
        ),
        (
            "A shift separates the labels at hand from those that matter. Under a known law of waiting the shift has a "
            "density ratio in closed form, and under an estimated one an approximate ratio; scaling each game session's error"
            " by the ratio makes the learner see next month's bookkeeping today."
        ),
        (
            "Some visits of places are confirmed at once, others by a postcard weeks later. Unconfirmed visits are no "
            "evidence of absence in proportion to how many postcards are still in the mail, and confirmed ones count for "
            "their delayed companions too. The proportions become multipliers in the log loss."
        ),
        (
            "Readers of the news site subscribe late. Suppose a tenth of such subscriptions show within an hour; then each "
            "that did show within an hour must represent ten, whereas non-subscribers of the last hour keep only the part of "
            "their weight that belongs to those who never will subscribe."
        ),
        (
            "Unbiasedness is obtained by design of the sample, not by a richer likelihood. An indicator of a purchase seen by"
            " the cut-off has the mean p times F; dividing it by F restores p; and for the complementary term the odds of "
            "being truly negative replace the indicator's own weight."
        ),
    ),
    arguments=(
        Argument(
            "max_weight", 20.0, ("maximum importance weight", "clipping of the weights", "largest weight"), low=1.0, high=1e4
        ),
    ),
    example="layer = DelayWeighted(schema, max_weight=10.0)\noutput = layer(logits, batch)",
)


class DelayWeighted(nn.Module):
    """(logits (B, T), batch) -> a scalar: the weighted cross-entropy and the delays' own loss, each a mean over observed rows and
    a sum over tasks.

    Its minimum is where the logits are those of a conversion at any time. `max_weight` bounds the weight of a positive that came
    unusually early. The delay's rate has first-order weights of its own, which only delays that were seen teach, and which are
    not served. Tasks that are not delayed have their cross-entropy.
    """

    def __init__(self, schema: Schema, max_weight: float = 20.0) -> None:
        super().__init__()
        if max_weight < 1:
            raise ValueError(f"a positive weighs at least 1, so that no bound may be {max_weight}")
        self.max_weight = max_weight
        self.late = LateLabels(schema)

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        loss: Tensor = self.late(logits, batch, self._weighted)
        return loss

    def _weighted(self, late: Late) -> Tensor:
        """The weighted cross-entropy and the loss of the delays (B, T')."""
        rate = late.log_rate.exp()
        arrived = -torch.expm1(-rate * late.elapsed.clamp(min=SHORTEST))  # F(e)
        of_delays = rate * late.delay.nan_to_num(0.0) - late.log_rate + arrived.log()
        chance, known = torch.sigmoid(late.logit).detach(), arrived.detach()
        positive = functional.softplus(-late.logit) / known.clamp(min=1 / self.max_weight) + of_delays
        negative = functional.softplus(late.logit) * (1 - chance) / (1 - chance * known).clamp(min=SHORTEST)
        return torch.where(late.label == 1, positive, negative)
