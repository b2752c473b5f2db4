"""The few behaviours of a history that score highest.

Notation: B rows, L history length, D embedding width, R width of a search space, k behaviours kept.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def agreement(one: Tensor, many: Tensor) -> Tensor:
    """Scaled inner products (B, L) of one vector (B, R) a row with many (B, L, R)."""
    return torch.einsum("br,blr->bl", one, many) / math.sqrt(one.shape[1])


def most_similar(scores: Tensor, history: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of a history (B, L, D) the k entries with the highest `scores` (B, L), all L where these are fewer: the entries (B, k, D),
    which of them are real (B, k), and where they stand (B, k) int64. Padding is taken where real entries run out.

    To keep an entry or not has no gradient.
    """
    lowest = torch.finfo(scores.dtype).min
    place = scores.masked_fill(~mask, lowest).topk(min(k, mask.shape[1]), 1).indices  # (B, k)
    kept = history.gather(1, place.unsqueeze(2).expand(-1, -1, history.shape[2]))  # (B, k, D)
    return kept, mask.gather(1, place), place
