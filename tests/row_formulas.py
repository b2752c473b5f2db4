"""Holds blocks over fields to their formulas, written out for one row at a time.

Notation: B rows, F fields, D embedding width, K = F * D, x a row (F, D).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from slopes import away_from_the_start, gradients_are_slopes
from torch import nn

Array = NDArray[np.float64]
W = dict[str, Array]
B, F, D = 4, 5, 3
K = F * D
FIELDS = np.random.default_rng(0).normal(size=(B, F, D))
PAIRS = list(combinations(range(F), 2))


def check(block: nn.Module, formula: Callable[[Array, W], object], flat: bool = False) -> None:
    """The block, with parameters away from their start, gives what `formula(x, parameters)` gives for each row x, and the
    gradients of that."""
    block = away_from_the_start(block).eval()
    w = {name: p.detach().numpy() for name, p in block.named_parameters()}
    rows = FIELDS.reshape(B, K) if flat else FIELDS
    wanted = np.array([np.atleast_1d(formula(x, w)) for x in rows])
    np.testing.assert_allclose(block(torch.from_numpy(rows)).detach().numpy(), wanted, atol=1e-9)
    x = torch.tensor(rows)
    assert gradients_are_slopes(block, lambda: block(x), [x])


def softmax(x: Array) -> Array:
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))
