"""Losses in place of the cross-entropy: tasks weighed by learned variances, against what can be computed by hand.

Notation: B rows, T tasks.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from random_rows import TWO_TASKS, random_rows
from torch import Tensor

from sandboxes.kit import Batch, observed_bce
from sandboxes.kit.layers import UncertaintyWeighting

Array = NDArray[np.float64]
B, T = 6, 2
LOGITS = torch.randn(B, T, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
NAN = math.nan
LABELS = torch.tensor([[1.0, 0.0], [0.0, NAN], [NAN, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, NAN]])


def labelled(labels: Tensor) -> Batch:
    return Batch(torch.zeros(len(labels), 0, dtype=torch.int64), torch.zeros(len(labels), 0), labels=labels)


def cost(logit: float, label: float) -> float:
    return math.log1p(math.exp(-logit if label else logit))


def cost_of_task(t: int) -> float:
    """The mean over observed labels."""
    seen = [cost(z, y) for z, y in zip(LOGITS[:, t].tolist(), LABELS[:, t].tolist(), strict=True) if not math.isnan(y)]
    return sum(seen) / len(seen)


def test_each_tasks_loss_is_divided_by_its_variance() -> None:
    block = UncertaintyWeighting(T).double()
    assert block(LOGITS, labelled(LABELS)).item() == pytest.approx(cost_of_task(0) + cost_of_task(1), abs=1e-6)
    with torch.no_grad():
        block.log_variance.copy_(torch.tensor([0.7, -1.2]))
    wanted = math.exp(-0.7) * cost_of_task(0) + 0.35 + math.exp(1.2) * cost_of_task(1) - 0.6
    assert block(LOGITS, labelled(LABELS)).item() == pytest.approx(wanted, abs=1e-6)


def test_the_variance_that_is_learned_is_twice_the_loss_that_stays() -> None:
    """Where the derivative in s vanishes, exp(-s) L is a half: a task that cannot be fitted is weighed down."""
    block = UncertaintyWeighting(T).double()
    optimizer = torch.optim.Adam(block.parameters(), lr=0.05)
    for _ in range(500):
        optimizer.zero_grad()
        block(LOGITS, labelled(LABELS)).backward()
        optimizer.step()
    learned = block.log_variance.exp().tolist()
    assert learned == pytest.approx([2 * cost_of_task(t) for t in range(T)], rel=1e-3)


def test_a_task_without_labels_in_the_batch_changes_neither_loss_nor_variance() -> None:
    block = UncertaintyWeighting(T).double()
    with torch.no_grad():
        block.log_variance.fill_(0.5)
    labels = LABELS.clone()
    labels[:, 1] = NAN
    loss = block(LOGITS, labelled(labels))
    loss.backward()
    assert loss.item() == pytest.approx(math.exp(-0.5) * cost_of_task(0) + 0.25, abs=1e-6)
    assert block.log_variance.grad is not None and block.log_variance.grad[1] == 0 != block.log_variance.grad[0]


def test_at_the_start_it_is_the_plain_loss() -> None:
    rows = random_rows(TWO_TASKS, 50).whole
    logits = torch.randn(50, T, generator=torch.Generator().manual_seed(1))
    assert rows.labels is not None
    assert torch.equal(UncertaintyWeighting(T)(logits, rows), observed_bce(logits, rows.labels))
