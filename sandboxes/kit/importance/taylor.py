"""First-order importance: how the loss grows when what is looked up of a field is replaced by its mean over all rows.

The model is taken to be linear in each field (F-permutation, Zhang et al., CIKM 2023).
One pass forwards and backwards serves all fields. Zhang et al. expand the loss, whose gradient is near 0 wherever training went
well; here the logit is expanded, and the loss taken at the logit that is found: first-order in the model, exact in the loss.

Notation: n rows, B rows at once, P places of a lookup, D width, N numeric fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.importance.asked import Answer, Asked, parts
from sandboxes.kit.importance.lookups import task_logits
from sandboxes.kit.importance.means import Means, means_of
from sandboxes.kit.importance.places import found_places

AT_ONCE = 2048


def taylor(asked: Asked) -> Answer:
    """The mean over rows, in nats, and its error over rows. Below 0, the model is better without what it learned of the field."""
    places = found_places(asked)
    gains: dict[str, list[Tensor]] = {name: [] for name in places.of}
    if places.of:
        means = means_of(asked)
        for rows in parts(asked.rows, AT_ONCE):
            for name, gain in _gains(asked, rows, places.of, means).items():
                gains[name].append(gain)
    found = {name: torch.cat(each).double() for name, each in gains.items()}  # each (n,)
    constant = dict.fromkeys((f for f in asked.fields if f not in asked.varied), 0.0)
    return Answer(
        scores={name: gain.mean().item() for name, gain in found.items()} | constant,
        errors={name: gain.std().item() / len(gain) ** 0.5 for name, gain in found.items()} | constant,
        unscored=places.unreadable,
    )


def _gains(asked: Asked, rows: Batch, of: Mapping[str, Mapping[int, Tensor]], means: Means) -> dict[str, Tensor]:
    """How much greater the loss of each row (B,) would be without each field."""
    leaves: list[Tensor] = [rows.numeric.clone().requires_grad_()]

    def leaf(number: int, lookup: Tensor) -> Tensor:
        leaves.append(lookup.detach().requires_grad_())
        return leaves[-1]

    logits = task_logits(asked.model, replace(rows, numeric=leaves[0]), asked.task, leaf)
    slopes = torch.autograd.grad(logits.sum(), leaves, allow_unused=True)
    assert rows.labels is not None
    labels, logits = rows.labels[:, asked.task], logits.detach()
    loss = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    gains = {}
    for name, lookups in of.items():
        moved = torch.zeros_like(logits)  # by how much the logit moves, (B,)
        for number, where in lookups.items():
            moved = moved + _along(slopes[number + 1], leaves[number + 1], means.lookups[number], where.unsqueeze(-1))
        if name in means.numeric_fields:
            only = torch.tensor([f == name for f in means.numeric_fields], device=logits.device)
            moved = moved + _along(slopes[0], leaves[0], means.numeric, only)
        gains[name] = functional.binary_cross_entropy_with_logits(logits + moved, labels, reduction="none") - loss
    return gains


def _along(slope: Tensor | None, value: Tensor, mean: Tensor, where: Tensor) -> Tensor:
    """What moving a lookup (B, P..., D) to its `mean` (P..., D), at the places `where` alone, adds to each logit (B,)."""
    if slope is None:
        return value.new_zeros(len(value))
    return (slope * (mean - value.detach()) * where).flatten(1).sum(1)
