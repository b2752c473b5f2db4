"""Experts with separate inputs, against their formula, and for what becomes of tasks that want opposite things.

Notation: B rows, D embedding width, K width of the shared input, T tasks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_rows import RICH, random_rows
from slopes import away_from_the_start, gradients_are_slopes
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import FeatureEmbedding, SeparateInputs, SharedBottom
from sandboxes.kit.schema import CategoricalField, Schema, Task

B, D, K, T = 5, 2, 4, 2
SHARED = torch.from_numpy(np.random.default_rng(0).normal(size=(B, K)))


def rows() -> Batch:
    batch = random_rows(RICH, B).whole
    return replace(batch, numeric=batch.numeric.double())


def built(stop_gradient: bool = True) -> SeparateInputs:
    torch.manual_seed(1)
    block = SeparateInputs(RICH, K, D, T, 2, 1, (6, 3), (4,), stop_gradient)
    away_from_the_start(block)
    return block


def test_each_task_mixes_experts_that_read_inputs_of_their_own() -> None:
    block, batch = built(), rows()
    w = {n: p.detach().numpy() for n, p in block.named_parameters()}
    vectors = block.embedding.with_histories(batch).detach().numpy()  # (B, F, T * D)
    computed = block(SHARED, batch).detach().numpy()

    def deep(name: str, x: np.ndarray, layers: int) -> np.ndarray:
        for layer in range(layers):
            x = np.maximum(w[f"{name}.layers.{layer}.weight"] @ x + w[f"{name}.layers.{layer}.bias"], 0)
        return x

    for b in range(B):
        inputs = [vectors[b, :, t * D : (t + 1) * D].flatten() for t in range(T)]
        experts = [deep(f"experts.{t}.{e}", inputs[t], 2) for t in range(T) for e in range(2)]
        experts.append(deep("shared.0", SHARED[b].numpy(), 2))
        for t in range(T):
            scores = np.exp(w[f"gates.{t}.0.weight"] @ inputs[t])
            mixed = sum(share * expert for share, expert in zip(scores / scores.sum(), experts, strict=True))
            logit = w[f"towers.{t}.1.weight"] @ deep(f"towers.{t}.0", mixed, 1) + w[f"towers.{t}.1.bias"]
            np.testing.assert_allclose(computed[b, t], logit.item(), atol=1e-9)


def reached(block: SeparateInputs, task: int) -> list[str]:
    """Whose experts and tables a task's gradient reaches."""
    block.zero_grad()
    block(SHARED, rows())[:, task].sum().backward()
    table = block.embedding.table
    assert table is not None and table.weight.grad is not None
    gradient = table.weight.grad.to_dense().unflatten(1, (T, D)).abs().sum((0, 2))
    found = [f"table {t}" for t in range(T) if gradient[t] > 0]
    groups = [(f"experts {t}", group) for t, group in enumerate(block.experts)] + [("shared", block.shared)]
    return found + [name for name, group in groups if any(p.grad is not None and p.grad.any() for p in group.parameters())]


@pytest.mark.parametrize("task", range(T))
def test_a_task_changes_what_is_its_own_and_what_is_shared(task: int) -> None:
    assert reached(built(), task) == [f"table {task}", f"experts {task}", "shared"]
    everyone = ["table 0", "table 1", "experts 0", "experts 1", "shared"]
    assert reached(built(stop_gradient=False), task) == everyone


def test_gradients_are_slopes_where_none_is_stopped() -> None:
    block, batch = built(stop_gradient=False), rows()
    assert gradients_are_slopes(block, lambda: block(SHARED, batch), [SHARED, batch.numeric])


ITEMS = 34
OF_ITEMS = Schema((CategoricalField("item", ITEMS),), tasks=(Task("click"), Task("like")))
WANTED = torch.randint(2, (ITEMS, T), generator=torch.Generator().manual_seed(0)).float()  # of items, by either task


class OneInput(nn.Module):
    """The usual way: tasks share the vectors of items."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.tower = FeatureEmbedding(OF_ITEMS, 1), SharedBottom(1, T, (2,), ())

    def forward(self, shared: Tensor, batch: Batch) -> Tensor:
        logits: Tensor = self.tower(self.embedding(batch).flatten(1))
        return logits


def right(block: nn.Module) -> float:
    """How often, by the worse of two tasks that have nothing to do with each other."""
    items = torch.arange(2, ITEMS)
    shared, batch = torch.zeros(len(items), K), Batch(items.unsqueeze(1), torch.zeros(len(items), 0))
    optimizer = torch.optim.Adam(block.parameters(), lr=0.02)
    for _ in range(300):
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(block(shared, batch), WANTED[items]).backward()
        optimizer.step()
    return ((block(shared, batch) > 0) == (WANTED[items] > 0.5)).float().mean(0).min().item()


def test_tasks_that_see_items_differently_do_not_fight_over_one_number() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    assert right(SeparateInputs(OF_ITEMS, K, 1, T, hidden_units=(2,), tower_units=())) == 1
    assert right(OneInput()) < 0.95
