"""Alternating updates: two losses take turns, batch by batch, each with an optimiser of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sandboxes.kit.card import Argument, Card
from sandboxes.kit.contract import Stage

CARD = Card(
    name="alternating_updates",
    block="AlternatingUpdates",
    slot="scheme",
    takes=("loss",),
    summary="Minimises an auxiliary loss and the click loss in turns, batch by batch, and never their sum.",
    equation="on every k-th batch theta <- Adam(theta, grad L_aux), and on every batch then theta <- Adam'(theta, grad L_click)"
    " (alternating steps as Goodfellow et al., NeurIPS 2014, algorithm 1)",
    cues=(
        "alternating training",
        "alternating optimization",
        "alternating optimisation",
        "alternating updates",
        "alternately optimize",
        "alternately optimise",
        "alternately train",
        "alternately updated",
        "trained alternately",
        "optimized alternately",
        "updated alternately",
        "in an alternating manner",
        "alternate between the two losses",
        "alternate training strategy",
        "separate optimizers for the two losses",
        "two losses are optimized in turn",
    ),
    descriptions=(
        "The two losses are not summed but optimised in turn, one step each on every batch.",
        "Training alternates between the auxiliary objective and the main one, with an optimiser of its own for either.",
        "In each iteration we first update the parameters by the auxiliary loss and then by the click loss.",
        "An alternating strategy avoids having to weigh the losses against each other.",
        "The auxiliary step is taken once in k iterations, the main step in all of them.",
        "Both objectives share the parameters and are minimised by turns throughout training.",
        (
            "Since the gradients of the two objectives differ by orders of magnitude, we do not add them. Instead each mini- "
            "batch is used for two consecutive updates, the first with the self-supervised loss and the second with the "
            "supervised one, with separate optimisers."
        ),
        (
            "We adopt alternating optimisation. At every iteration the representation objective is minimised with the "
            "prediction objective held back, after which the roles are exchanged; the procedure is repeated until the "
            "validation AUC stops to improve."
        ),
        (
            "Joint training of both tasks makes their balance depend on a coefficient that is hard to tune. Our training "
            "scheme has none: it switches between the tasks after every batch, and Adam's moments are kept for each of them "
            "separately."
        ),
        (
            "The overall procedure iterates two steps: (a) an update with respect to the additional objective for every k-th "
            "batch, and (b) an update with respect to the recommendation objective. Neither step sees the other's gradient."
        ),
        (
            "Left foot, right foot: the music model learns to tell tracks apart on one step and to predict plays on the next, "
            "from start to end, and at no time does both with one motion."
        ),
        (
            "Two teachers share a class by the hour. One asks the network to restore what was hidden, the other to foresee "
            "installs; they relieve each other after each batch, and each keeps a gradebook of its own."
        ),
        "Tersely: for batch i: if i mod k is 0, step on A; step on B. No A plus lambda B anywhere.",
        (
            "A sum of two errors asks for a weight, and a sequence of two phases forgets the first. Interleaving avoids both: "
            "within the same pass over the bank's rows, steps on the one error and steps on the other follow each other "
            "closely."
        ),
        (
            "The loop over hotel impressions calls two optimisers. The inner line that fits the structural objective runs "
            "every third time, the line that fits bookings always; they act on the same weights and have statistics of their "
            "own."
        ),
        (
            "Instead of mixing, we interlace. News rows arrive, the side objective moves the vectors a little, the click "
            "objective moves them again, the next rows arrive. After a day both are low."
        ),
        (
            "The scheduler gives the helper goal one slot out of five and the purchase goal every slot. As both work on "
            "common parameters, what the helper finds is at once available to the other, and no term of it enters the "
            "purchase gradient."
        ),
        (
            "Shops' visit counts are fitted in a ping-pong fashion: one criterion is relaxed with its own learning state, "
            "then the second, then the first again, each at the point where the other has left the weights."
        ),
        (
            "It is block-wise descent over objectives: hold one aside, descend a step on the other, change over. The change "
            "takes place thousands of times per epoch, unlike warm-up procedures where it takes place once."
        ),
        (
            "For the game portal two criteria compete for the same layers. Rather than adding them up we serve them by "
            "rotation at the granularity of single mini-batches; how often the lesser one is served is the sole knob."
        ),
    ),
    arguments=(
        Argument(
            "every",
            1,
            (
                "batches between auxiliary steps",
                "auxiliary step every",
                "auxiliary update every",
                "update frequency of the auxiliary loss",
            ),
            low=1,
            high=1000,
        ),
    ),
    example="stages = AlternatingUpdates('auxiliary_loss', every=2).staged((Stage('train'),))",
)


@dataclass(frozen=True)
class AlternatingUpdates:
    """The model's method named by `auxiliary_loss` takes a step on every `every`-th batch, before the last stage's own step.

    Early stopping remains that of the last stage. A step on both costs about two.
    """

    auxiliary_loss: str
    every: int = 1

    def staged(self, stages: Sequence[Stage]) -> tuple[Stage, ...]:
        *before, last = stages
        turn = Stage("auxiliary", loss=self.auxiliary_loss, freeze=last.freeze, every=self.every)
        return *before, replace(last, beside=(*last.beside, turn))
