"""Bayesian personalised ranking: an item taken should score above one drawn at random.

Notation: B rows, I ids of the target item.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sandboxes.kit.losses import FIRST_ITEM


def pairwise_ranking(taken: Tensor, others: Tensor) -> Tensor:
    """-mean ln sigmoid(taken - others), scalar; scores (B,) of the items taken and of others (Rendle et al., UAI 2009, eq.
    4.2)."""
    return functional.softplus(others - taken).mean()


def random_items(answers: Tensor, n_items: int) -> Tensor:
    """An item (B,) drawn uniformly for each row, other than its answer where there is another."""
    drawn = torch.randint(FIRST_ITEM, n_items, answers.shape, device=answers.device)
    shifted = FIRST_ITEM + (drawn + 1 - FIRST_ITEM) % (n_items - FIRST_ITEM)
    return torch.where(drawn == answers, shifted, drawn)
