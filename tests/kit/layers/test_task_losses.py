"""Losses in place of the cross-entropy, with tasks weighed or rows held against rows, against what can be computed by hand.

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
from sandboxes.kit.layers import JointRankingCalibration, UncertaintyWeighting
from sandboxes.kit.layers.joint_ranking_calibration import contrast_over_rows

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


def surprise(row: int, t: int) -> float:
    """How little the row stands out among the observed ones, in the logit of its own class."""
    seen = [b for b in range(B) if not math.isnan(LABELS[b, t])]
    sign = 1 if LABELS[row, t] == 1 else -1
    shares = {b: math.exp(sign * LOGITS[b, t].item() / 2) for b in seen}
    return -math.log(shares[row] / sum(shares.values()))


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_joint_ranking_and_calibration(weight: float) -> None:
    contrasts = [np.mean([surprise(b, t) for b in range(B) if not math.isnan(LABELS[b, t])]) for t in range(T)]
    wanted = weight * (cost_of_task(0) + cost_of_task(1)) + (1 - weight) * sum(contrasts)
    assert JointRankingCalibration(weight)(LOGITS, labelled(LABELS)).item() == pytest.approx(wanted, abs=1e-6)


def test_the_contrast_does_not_see_the_level_and_does_see_the_order() -> None:
    labels = LABELS[:, :1].nan_to_num(0.0).double()  # two positive rows of six
    logits = 4 * labels - 2 + 0.1 * LOGITS[:, :1]
    right = contrast_over_rows(logits, labels)
    torch.testing.assert_close(contrast_over_rows(logits + 3.0, labels), right)
    assert contrast_over_rows(-logits, labels) > right + 1


def test_a_row_alone_and_rows_without_labels_have_no_contrast() -> None:
    assert contrast_over_rows(LOGITS[:1], LABELS[:1].double()).item() == pytest.approx(0, abs=1e-12)
    logits = LOGITS.clone().requires_grad_()
    nothing = contrast_over_rows(logits, torch.full((B, T), NAN, dtype=torch.float64))
    nothing.backward()
    assert nothing.item() == 0 and (logits.grad == 0).all()


def test_something_must_set_the_level() -> None:
    with pytest.raises(ValueError, match="nothing else sets the level"):
        JointRankingCalibration(0.0)
