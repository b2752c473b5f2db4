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
