"""The pairs of fields that pairwise interaction layers run over. Notation: F fields, P = F (F - 1) / 2 pairs."""

from __future__ import annotations

import torch
from torch import Tensor


def field_pairs(n_fields: int) -> tuple[Tensor, Tensor]:
    """Indices (P,) and (P,) int64 of the pairs i < j, in the order (0, 1), (0, 2), ..., (F - 2, F - 1)."""
    if n_fields < 2:
        raise ValueError(
            f"pairs of fields need at least two fields, the data has {n_fields}; add a field or leave this layer out"
        )
    first, second = torch.triu_indices(n_fields, n_fields, offset=1)
    return first, second
