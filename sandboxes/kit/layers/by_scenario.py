"""Computes each row with what belongs to its scenario. Notation: B rows, K input width, N output width."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


# How many rows each scenario has is known at run time only, which would make a compiler start anew for every batch.
@torch.compiler.disable  # type: ignore[untyped-decorator]
def by_scenario(x: Tensor, scenario: Tensor, of_scenario: Callable[[Tensor, int], Tensor]) -> Tensor:
    """(x (B, K), scenario ids (B,)) -> (B, N): `of_scenario(rows, s)` of the rows of each scenario s, in the order of `x`.

    The rows are sorted, so that a scenario costs one call on its own rows, and a scenario without rows costs nothing.
    """
    order = torch.argsort(scenario)  # (B,)
    counts = torch.bincount(scenario).tolist()
    parts = [of_scenario(rows, s) for s, rows in enumerate(torch.split(x[order], counts)) if len(rows)]
    return torch.cat(parts)[torch.argsort(order)]  # (B, N)
