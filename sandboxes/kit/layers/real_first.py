"""Moves the real entries of a history to its front, so that a recurrence meets padding last. Notation: B rows, L length."""

from __future__ import annotations

import torch
from torch import Tensor


def real_first(history: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """(history (B, L, ...), mask (B, L)) -> both anew: real entries first, in their order, and True on as many as there are."""
    order = torch.argsort((~mask).to(torch.int8), dim=1, stable=True)  # (B, L)
    place = order.reshape(*order.shape, *(1 for _ in history.shape[2:])).expand_as(history)
    step = torch.arange(mask.shape[1], device=mask.device)  # (L,)
    return history.gather(1, place), step < mask.sum(1, keepdim=True)
