"""Bayesian personalised ranking: an item taken should score above one drawn at random.

Notation: B rows.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def pairwise_ranking(taken: Tensor, others: Tensor) -> Tensor:
    """-mean ln sigmoid(taken - others), scalar; scores (B,) of the items taken and of others (Rendle et al., UAI 2009, eq.
    4.2)."""
    return functional.softplus(others - taken).mean()
