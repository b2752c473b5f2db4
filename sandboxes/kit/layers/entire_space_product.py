"""Product over the entire space: a task that needs another one first gets the product of their probabilities.

Notation: B rows, T tasks.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.card import Card
from sandboxes.kit.schema import Schema

CARD = Card(
    name="entire_space_product",
    block="EntireSpaceProduct",
    slot="head",
    needs=("entire_space",),
    summary="Predicts click and conversion over all impressions as the click probability times the conversion probability "
    "given a click.",
    equation="pCTCVR = pCTR * pCVR, trained on all impressions (Ma et al., SIGIR 2018, eq. 1 to 3); given as a logit,"
    " log p - log(1 - p), for chains of any length",
    cues=(
        "entire space",
        "over the entire space",
        "entire input space with samples of all impressions",
        "entire space multi-task",
        "ctcvr",
        "pctcvr",
        "post-view click-through and conversion rate",
        "post-view click-through&conversion rate",
        "product of pctr and pcvr",
        "product of the ctr and the cvr",
        "multiplied by the click-through rate",
        "sample selection bias",
        "post-click conversion rate",
        "sequential pattern of user actions",
        "impression to click to conversion",
        "conversion given click",
        "chain rule of probability over user actions",
    ),
    descriptions=(
        "The probability of click and conversion is the product of the click-through rate and the post-click conversion rate.",
        "Conversion is trained over all impressions through the product with the click probability, not only "
        "over clicked samples.",
        "User actions follow the order impression, click, conversion, and the model multiplies the conditional probabilities.",
        "Learning the conversion rate as an intermediate variable on the entire space removes the sample selection bias.",
        "The loss has two terms, one on clicks and one on clicks followed by a conversion, both over every exposure.",
        "A conversion can happen only after a click, so its probability over impressions factorises into two.",
        (
            "The post-click conversion rate is learned implicitly: the network predicts the click-through rate and the "
            "conversion rate given a click, and multiplies them into a click-and-convert probability that is supervised over "
            "all impressions. This removes the sample selection bias of training on clicked samples."
        ),
        (
            "Because conversions are only observed after clicks, we model the sequential pattern impression, click, conversion, "
            "and supervise the click probability and the product with the conversion tower on every exposed sample instead of "
            "on clicked samples only."
        ),
        (
            "We train the conversion estimator over the whole exposure space. Its output has no loss of its own; it is "
            "multiplied by the estimated CTR, and the product is fitted to the label that the item was both clicked and "
            "purchased."
        ),
        (
            "To alleviate selection bias and data sparsity in conversion estimation, two towers with shared embeddings estimate "
            "CTR and conditional CVR, and their product is trained on all shown items together with the CTR itself."
        ),
        (
            "Whether a guest would book after opening a hotel is known solely for those who opened it. We therefore do not fit "
            "that number directly: it is multiplied with the chance of opening, and the product is compared with what happened "
            "over everything displayed."
        ),
        (
            "The chain rule is built into the outputs. One output says how likely the tap is, another how likely a sign-up "
            "would be once tapped, and only the first and the multiplication of both are held against labels, which exist for "
            "each shown card."
        ),
        (
            "Learning from openers alone and then scoring everybody is a mismatch between training and use. The remedy is to "
            "express buying as opening times buying-once-opened, so that each display, opened or not, takes part in training."
        ),
        (
            "Two heads, one multiplication. The left head estimates that the advert is touched; the right head estimates an "
            "install provided it is touched; the multiplied value estimates touch with install. Penalties apply to the left "
            "head and to the multiplied value, for all exposures."
        ),
        (
            "Loan applications follow only after the offer has been viewed. The probability of application given viewing "
            "appears as a hidden factor in the model: it is obtained as what must be multiplied with the viewing probability so "
            "as to explain viewed-and-applied among all offers sent."
        ),
        (
            "The rare second-step event gets its training rows from the plentiful first-step displays. We factor the joint "
            "event into first step and second step given the first, learn both factors at once, and never filter the data down "
            "to those who took the first step."
        ),
        (
            "A player sees a banner, may enter the shop, and may then pay. Payment among all banner views is written as the "
            "entering rate times the paying rate of those who entered, and both sides of this identity are trained on all "
            "views."
        ),
        (
            "Dividing two separately learned rates would be numerically unstable, and fitting only on responders would be "
            "biased. Instead we put the factor for the later action inside a multiplication with the earlier action's factor "
            "and fit the result to the full log of exposures."
        ),
        (
            "For subscription after reading, the subscription factor sees gradients only through the multiplied output: reading "
            "chance by subscription-given-reading chance. As unread stories count with label zero, the factor is defined and "
            "learned also where nobody read."
        ),
        (
            "Our scores obey the funnel. The deeper action cannot occur without the shallower one, so its overall chance is "
            "composed by multiplying stage chances, and the fit takes place across all listings put before users, not just "
            "those that passed the first stage."
        ),
        (
            "The chance of buying is obtained as the chance of visiting the product page, times the chance of buying once "
            "there. Both factors come from networks with common tables, but the errors are measured only on the first factor "
            "and on the product, over everything ever shown, clicked or not."
        ),
        (
            "A funnel has two doors. We estimate how likely a person passes the first door, and how likely someone past the "
            "first door passes the second, and multiply. Because the product is checked against all people standing outside, "
            "not just those who got through door one, the second estimate is not distorted by selection."
        ),
        (
            "Recipe: two towers on shared vectors give p1 and p2; p12 is p1 times p2; loss equals log loss of p1 against opened "
            "plus log loss of p12 against opened-and-purchased, over all displays; p2 has no loss of its own. At serving take "
            "p2 or p12 as wanted."
        ),
        (
            "Learning post-click behaviour from clicked rows alone and applying it to all rows is a mismatch of populations, "
            "and clicked rows are few. Factoring the joint event by the chain rule lets us use every displayed row, and the "
            "conditional second stage is learned implicitly as a hidden factor."
        ),
        (
            "Instead of training an install model on visitors of the store page only, we train on all ad displays by means of a "
            "multiplication: display-to-visit probability multiplied by visit-to-install probability must fit the label "
            "visit-and-install. Visits supply a second supervised label for the first multiplicand."
        ),
        (
            "Tersely: P(click and buy | x) equals P(click | x) times P(buy | click, x). Supervise the left side and the first "
            "factor on the full exposure set; the second factor follows. Lookup tables are common to both factors."
        ),
        (
            "For bookings, the path is list, detail page, reservation. We don't treat the two outcomes as parallel targets with "
            "independent outputs; we tie them by a product, so that a reservation cannot be likelier than opening the page, and "
            "calibrate the product on all listed hotels including the never opened."
        ),
        (
            "Unclicked impressions have unknown loan-signing behaviour and so are usually thrown away. In our formulation they "
            "count as negatives for click-then-sign, whose probability is a click output multiplied by a sign-after-click "
            "output; the latter thereby learns over the whole exposure population with vectors borrowed from the plentiful "
            "clicks."
        ),
        (
            "We never fit the booking estimate on clicked hotels alone. One half of the model outputs the chance that a "
            "displayed hotel is opened, the other half the chance that it is booked provided it was opened; the multiplied "
            'chances are compared with the label "opened and booked" for every hotel displayed, the first chance with the '
            'label "opened". So the second half gets its lesson only indirectly and without the bias of looking at openers.'
        ),
        (
            "Purchases can be watched only where somebody has tapped, but the offer must be valued before any tap. We therefore "
            "estimate the chance of the tap and the chance that a tap ends in a purchase, and multiply them. The product is "
            "confronted with purchases counted over everything that was ever displayed, the first factor with taps; the second "
            "factor is never confronted alone. Thus it is learned without a one-sided sample."
        ),
    ),
    example="layer = EntireSpaceProduct(schema)\noutput = layer(logits)",
)


class EntireSpaceProduct(nn.Module):
    """(B, T) logits, each given its predecessor -> (B, T) logits over all rows; a task without a predecessor keeps its own."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.chains = tuple(_chain(schema, t) for t in range(len(schema.tasks)))

    def forward(self, logits: Tensor) -> Tensor:
        return torch.stack([_joint(logits, chain) for chain in self.chains], 1)


def _chain(schema: Schema, task: int) -> tuple[int, ...]:
    """Columns of the tasks that must all be positive for `task` to be, the first of them first."""
    names, chain = [t.name for t in schema.tasks], [task]
    while (given := schema.tasks[chain[0]].given) is not None:
        if given not in names:
            raise ValueError(f"task {names[chain[0]]!r} is given {given!r}, which is no task; name one of {', '.join(names)}")
        if names.index(given) in chain:
            raise ValueError(f"task {names[task]!r} depends on itself by {given!r}; let one task of the circle be given none")
        chain.insert(0, names.index(given))
    return tuple(chain)


def _joint(logits: Tensor, chain: tuple[int, ...]) -> Tensor:
    """The logit (B,) of the product of the chain's probabilities.

    In logarithms throughout, and 1 - p q as (1 - p) + p (1 - q), so that nothing is lost where a probability is near 0 or 1.
    """
    first, *later = chain
    if not later:
        return logits[:, first]
    yes, no = functional.logsigmoid(logits[:, first]), functional.logsigmoid(-logits[:, first])  # log p, log(1 - p)
    for t in later:
        no = torch.logaddexp(no, yes + functional.logsigmoid(-logits[:, t]))
        yes = yes + functional.logsigmoid(logits[:, t])
    return yes - no
