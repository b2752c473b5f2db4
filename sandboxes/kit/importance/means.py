"""What a model sees on the mean over all rows: what fields are replaced by where they are closed.

Notation: n rows, P places of a lookup, D width, N numeric fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sandboxes.kit.importance.asked import Asked, parts
from sandboxes.kit.importance.lookups import recorded

AT_ONCE = 2048


@dataclass(frozen=True)
class Means:
    """Of each lookup that belongs to rows (P..., D), by its number, and of the numbers (N,) of the `numeric_fields`."""

    lookups: dict[int, Tensor]
    numeric: Tensor
    numeric_fields: tuple[str, ...]


@torch.no_grad()
def means_of(asked: Asked) -> Means:
    sums: dict[int, Tensor] = {}
    for rows in parts(asked.rows, AT_ONCE):
        _, lookups = recorded(asked.model, rows, asked.task)
        for number, lookup in enumerate(lookups):
            if len(lookup) == len(rows):
                added = lookup.sum(0)
                sums[number] = sums[number] + added if number in sums else added
    means = {number: total / len(asked.rows) for number, total in sums.items()}
    return Means(means, asked.rows.numeric.mean(0), tuple(f.name for f in asked.schema.numeric))
