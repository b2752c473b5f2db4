"""Negatives: for every value another one, drawn at random."""

from __future__ import annotations

import torch
from torch import Tensor

from sandboxes.kit.schema import FIRST_ID, UNKNOWN_ID


def drawn_instead(ids: Tensor, n_values: int) -> Tensor:
    """For each id another known value of the field, each as likely; the unknown one where there is no other.

    `ids` of any shape; `n_values` counts padding and unknown, so that known values lie in [2, n_values).
    """
    others = n_values - FIRST_ID - 1  # known values, without the id itself
    if others < 1:
        return torch.full_like(ids, UNKNOWN_ID)
    drawn = torch.randint_like(ids, FIRST_ID, FIRST_ID + others)
    return drawn + ((ids >= FIRST_ID) & (drawn >= ids))
