"""Softmax over the real entries of a history. Notation: L history length."""

from __future__ import annotations

import torch
from torch import Tensor


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Shares (..., L) that sum to 1 over the entries where `mask` is True; all zeros, and no gradient, where none is."""
    lowest = torch.finfo(scores.dtype).min  # not -inf, which would give NaN where nothing is real
    return torch.softmax(scores.masked_fill(~mask, lowest), -1) * mask
