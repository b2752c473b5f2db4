"""The loss over observed labels, against what can be computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.kit import observed_bce

CELLS = st.tuples(st.floats(-20, 20), st.sampled_from([0.0, 1.0, math.nan]))


def by_hand(rows: list[list[tuple[float, float]]]) -> float:
    """The mean negative log likelihood of each task's observed rows, added up."""
    total = 0.0
    for cells in zip(*rows, strict=True):
        seen = [(z, y) for z, y in cells if not math.isnan(y)]
        costs = [math.log1p(math.exp(-z if y else z)) for z, y in seen]
        total += sum(costs) / len(costs) if costs else 0.0
    return total


@given(st.integers(1, 3).flatmap(lambda t: st.lists(st.lists(CELLS, min_size=t, max_size=t), min_size=1, max_size=8)))
def test_it_is_the_mean_over_observed_labels_of_each_task_added_up(rows: list[list[tuple[float, float]]]) -> None:
    table = torch.tensor(rows, dtype=torch.float64)  # (B, T, 2)
    assert observed_bce(table[..., 0], table[..., 1]).item() == pytest.approx(by_hand(rows), abs=1e-9)


def test_unobserved_labels_give_no_gradient() -> None:
    logits = torch.tensor([[0.3, -0.2], [1.0, 2.0]], requires_grad=True)
    labels = torch.tensor([[1.0, math.nan], [math.nan, math.nan]])
    observed_bce(logits, labels).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0] == pytest.approx(torch.sigmoid(torch.tensor(0.3)).item() - 1)
    assert logits.grad[0, 1] == logits.grad[1, 0] == logits.grad[1, 1] == 0


def test_one_task_may_come_as_a_vector() -> None:
    logits, labels = torch.tensor([0.1, -0.4]), torch.tensor([[1.0], [0.0]])
    assert observed_bce(logits, labels) == observed_bce(logits.unsqueeze(1), labels)


def test_extreme_logits_stay_finite() -> None:
    loss = observed_bce(torch.tensor([[1e4], [-1e4]]), torch.tensor([[0.0], [1.0]]))
    assert loss.item() == pytest.approx(1e4)
