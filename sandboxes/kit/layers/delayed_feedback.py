"""Conversions that are still to come: a chance of conversion times an exponential delay, both learned from what is known so far.

Notation: B rows, T tasks, T' of them delayed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.card import Card
from sandboxes.kit.layers.late_labels import Late, LateLabels
from sandboxes.kit.schema import Schema

CARD = Card(
    name="delayed_feedback",
    block="DelayedFeedback",
    slot="loss",
    needs=("delays",),
    summary="Learns the chance of a conversion together with an exponential delay, so that recent rows without one count as "
    "undecided.",
    equation="L = -log p(x) - log r(x) + r(x) d for a conversion seen after the delay d, L = -log(1 - p(x) + p(x) exp(-r(x) e)) "
    "for a row without one that has been watched for e, r(x) = exp(w x) (Chapelle, KDD 2014, section 4)",
    cues=(
        "delayed feedback",
        "delayed feedback model",
        "delayed conversions",
        "conversion delay",
        "delayed feedback loss",
        "exponential delay distribution",
        "delay between the click and the conversion",
        "time elapsed since the click",
        "elapsed time since the click",
        "delay model",
        "survival analysis of the conversion delay",
        "unlabeled because the conversion may still come",
        "likelihood of the delay",
        "hazard rate of the conversion delay",
        "joint likelihood of conversion and delay",
    ),
    descriptions=(
        "A conversion model and a model of the delay until the conversion are trained jointly.",
        "A click without a conversion so far is no negative: the conversion may still be on its way.",
        "The delay follows an exponential distribution whose rate is a function of the features.",
        "The likelihood of a row without a positive sums over the two cases that none will come and that it has not come yet.",
        "At serving only the probability of an eventual conversion is used; the delay's parameters are thrown away.",
        (
            "Recent negatives pull the prediction down less than old ones, since the chance that their positive is still to "
            "come is high."
        ),
        (
            "Since a conversion can happen days after the click, labels are incomplete when the model is trained. We "
            "introduce a second model for the time between click and conversion, assume an exponential law with a rate of "
            "log-linear form, and maximise the joint likelihood of both models over the clicks observed so far."
        ),
        (
            "For a click that has converted after a delay d, the likelihood is the product of the conversion probability and "
            "the density of the delay at d. For a click that has not converted within its elapsed time e, it is one minus the"
            " conversion probability times the chance that the delay is shorter than e."
        ),
        (
            "Borrowing from censored survival times, we treat the unconverted events as a mixture: those which will never "
            "convert, and those whose conversion lies beyond the observation window. Gradient descent on the negative log-"
            "likelihood estimates the final conversion rate and the hazard at the same time."
        ),
        (
            "A fixed matching window makes the model either stale or biased. Instead we train on all clicks up to the present"
            " and let an auxiliary hazard function of the same features account for the outcomes that have not been reported "
            "yet; predictions are made with the eventual conversion probability alone."
        ),
        (
            "A parcel that has not come by noon is not a parcel that was never sent. Our predictor of app installs has two "
            "dials, one for whether the install will ever take place and one for how fast installs of this kind usually take "
            "place, and it forgives a silence of an hour more readily than one of a month."
        ),
        (
            "Travellers book long after they looked. We write p for the chance that a look ends in a booking at all and give "
            "the waiting time a constant hazard that the destination and the device determine. A look from yesterday without "
            "a booking then contributes log(1 - p + p times the survival of the wait until today)."
        ),
        (
            "Two parts in one objective: sigmoid for ever-or-never, exponential for when. Positive row: log p plus log rate "
            "minus rate times wait. Silent row: log of (1 - p plus p times exp of minus rate times age). Discard the rate "
            "after training."
        ),
        (
            "For loans the default shows only after months. Young loans without a default are undecided, old ones are nearly "
            "settled, and the criterion weighs between the two by a learned speed of default; the score that the bank uses in"
            " the end is the probability of a default at any time."
        ),
        (
            "The age of an impression enters the objective and never the input. It tells how much silence is worth: a "
            "purchase that has not been seen after five minutes says next to nothing, after five weeks almost everything. How"
            " quickly silence becomes meaningful is itself estimated from the waits of purchases that have been seen."
        ),
        (
            "Subscriptions to a music service follow a trial by days or weeks. The learner holds a latent flag for each "
            "trial, will subscribe or will not, and a clock for those who will. Marginalising the flag for all trials still "
            "open yields a smooth function of the two outputs, which ordinary back-propagation minimises."
        ),
        (
            "An optimiser of bids that reads its log at midnight counts every late sale as a failure and pays too little for "
            "slow goods. Ours explains missing sales partly by slowness, with a separate set of weights for it, and therefore"
            " keeps its forecast level while the log is filling up."
        ),
        (
            "In expectation-maximisation terms: given the present estimates, a silent visit of age e is a hidden positive "
            "with posterior p times survival over one minus p times the part that would have arrived; refit both estimates "
            "with these posteriors, or descend directly on the marginal likelihood, as we do."
        ),
        (
            "Players pay some time after they start a game. We do not wait for the month to be over. The network's head "
            "yields the log-odds of paying at all, a linear side model yields the logarithm of the payment intensity, and a "
            "censored likelihood ties the two with the hours that have passed since the first session."
        ),
        (
            "Engineering: every training row carries two more columns, seconds since the event and seconds until its outcome "
            "or nothing. Only the loss function reads them. It needs a log-add-exp for rows without outcome and a log-density"
            " for the rest, and at export the clock's weights are dropped."
        ),
        (
            "Imagine anglers who all left their lines in the water at different hours. That a line is still empty means "
            "little if it was cast just now. To estimate how many fish there are one must estimate as well how long they take"
            " to bite, and a line's idle time speaks for both."
        ),
        (
            "News readers subscribe days after the article that won them over. Taking the as yet unsubscribed as lost drags "
            "the estimated rate down, more so for recent articles. We model the pause as memoryless with an intensity by "
            "article type, so that the estimate at the end of the log equals what later bookkeeping confirms."
        ),
        (
            "The table of clicks is right-censored. Whatever the model says of the eventual outcome is multiplied by the "
            "probability that this outcome would have shown itself by now, one minus the exponential of minus intensity times"
            " age, and the product is compared with what has shown itself."
        ),
        (
            "How long it takes a shop's visitor to order is informative in two ways: the orders seen give the pace, and the "
            "pace tells how many of the others are going to order yet. Both are learned in a single descent from the same "
            "rows, with separate coefficient vectors for the tendency and for the pace."
        ),
    ),
    example="layer = DelayedFeedback(schema)\noutput = layer(logits, batch)",
)


class DelayedFeedback(nn.Module):
    """(logits (B, T), batch) -> a scalar: the negative log-likelihood, a mean over observed rows and a sum over tasks.

    The logits are those of a conversion at any time, so that predictions need no delay. The delay's rate has first-order weights
    of its own, which are not served. Tasks that are not delayed have their cross-entropy.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.late = LateLabels(schema)

    def forward(self, logits: Tensor, batch: Batch) -> Tensor:
        loss: Tensor = self.late(logits, batch, _surprise)
        return loss


def _surprise(late: Late) -> Tensor:
    """Minus the logarithm of how likely what is known was (B, T')."""
    rate = late.log_rate.exp()
    arrived = functional.softplus(-late.logit) - late.log_rate + rate * late.delay.nan_to_num(0.0)
    never = -functional.softplus(late.logit)  # log(1 - p)
    still_to_come = -functional.softplus(-late.logit) - rate * late.elapsed  # log(p exp(-r e))
    return torch.where(late.label == 1, arrived, -torch.logaddexp(never, still_to_come))
