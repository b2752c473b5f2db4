"""Towers of several tasks and the product over the entire space, against their formulas. Notation: B rows, K width, T tasks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn

from sandboxes.kit.layers import EntireSpaceProduct, MMoE, ProgressiveLayeredExtraction, SharedBottom
from sandboxes.kit.schema import CategoricalField, Schema, Task

Array = NDArray[np.float64]
B, K = 6, 5
FLAT = np.random.default_rng(0).normal(size=(B, K))


class Weights:
    """A block's parameters as arrays, and its parts as functions of one row."""

    def __init__(self, block: nn.Module) -> None:
        self.of = {name: p.detach().numpy() for name, p in block.named_parameters()}

    def linear(self, name: str, x: Array) -> Array:
        return self.of[f"{name}.weight"] @ x + self.of.get(f"{name}.bias", 0)

    def deep(self, name: str, x: Array) -> Array:
        """Linear layers 0, 1, 2, ... with ReLU after each."""
        for layer in range(20):
            if f"{name}.layers.{layer}.weight" in self.of:
                x = np.maximum(self.linear(f"{name}.layers.{layer}", x), 0)
        return x

    def gate(self, name: str, x: Array) -> Array:
        scores = self.linear(f"{name}.0", x)
        return np.exp(scores) / np.exp(scores).sum()

    def tower(self, task: int, x: Array) -> float:
        return self.linear(f"towers.{task}.1", self.deep(f"towers.{task}.0", x)).item()


def doubled(block: nn.Module) -> nn.Module:
    return block.double().eval()


def computed(block: nn.Module) -> Array:
    return block(torch.from_numpy(FLAT)).detach().numpy()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(3)


@pytest.mark.parametrize("tower_units", [(), (4,), (4, 3)])
def test_shared_bottom(tower_units: tuple[int, ...]) -> None:
    block = doubled(SharedBottom(K, 3, (7, 6), tower_units))
    w = Weights(block)
    wanted = [[w.tower(t, w.deep("bottom", x)) for t in range(3)] for x in FLAT]
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


@pytest.mark.parametrize("n_experts", [1, 4])
def test_mmoe(n_experts: int) -> None:
    block = doubled(MMoE(K, 2, n_experts, (7, 6), (4,)))
    w, wanted = Weights(block), np.zeros((B, 2))
    for b, x in enumerate(FLAT):
        experts = [w.deep(f"experts.{e}", x) for e in range(n_experts)]
        for t in range(2):
            shares = w.gate(f"gates.{t}", x)
            wanted[b, t] = w.tower(t, sum(s * e for s, e in zip(shares, experts, strict=True)))
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


@pytest.mark.parametrize("n_levels", [1, 2, 3])
def test_progressive_layered_extraction(n_levels: int) -> None:
    n_own, n_shared = 2, 3
    block = doubled(ProgressiveLayeredExtraction(K, 2, n_levels, n_own, n_shared, (6,), (4,)))
    w, wanted = Weights(block), np.zeros((B, 2))
    for b, x in enumerate(FLAT):
        first, second, shared = x, x, x
        for level in (f"levels.{j}" for j in range(n_levels)):
            of_first = [w.deep(f"{level}.experts.0.{e}", first) for e in range(n_own)]
            of_second = [w.deep(f"{level}.experts.1.{e}", second) for e in range(n_own)]
            of_all = [w.deep(f"{level}.experts.2.{e}", shared) for e in range(n_shared)]
            next_first = w.gate(f"{level}.gates.0", first) @ np.array(of_first + of_all)
            next_second = w.gate(f"{level}.gates.1", second) @ np.array(of_second + of_all)
            if level != f"levels.{n_levels - 1}":
                shared = w.gate(f"{level}.shared_gate", shared) @ np.array(of_first + of_second + of_all)
            first, second = next_first, next_second
        wanted[b] = w.tower(0, first), w.tower(1, second)
    np.testing.assert_allclose(computed(block), wanted, atol=1e-9)


def test_tasks_of_the_last_level_do_not_see_each_others_experts() -> None:
    block = doubled(ProgressiveLayeredExtraction(K, 2, 1, 2, 2, (6,), (4,)))
    before = computed(block)
    with torch.no_grad():
        for parameter in block.levels[0].experts[1].parameters():
            parameter.add_(1.0)
    after = computed(block)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    assert (after[:, 1] != before[:, 1]).all()


# The product over the entire space


def schema(*tasks: Task) -> Schema:
    return Schema((CategoricalField("item", 5),), tasks=tasks)


CHAIN = schema(Task("click"), Task("cart", given="click"), Task("buy", given="cart"), Task("like"))
moderate = st.floats(-15, 15)


@given(st.lists(moderate, min_size=4, max_size=4))
def test_product_of_the_chains_probabilities(logits: list[float]) -> None:
    joint = EntireSpaceProduct(CHAIN)(torch.tensor([logits], dtype=torch.float64))
    click, cart, buy, like = (1 / (1 + math.exp(-z)) for z in logits)
    wanted = [click, click * cart, click * cart * buy, like]
    np.testing.assert_allclose(torch.sigmoid(joint)[0].numpy(), wanted, rtol=1e-9)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=4, max_size=4))
def test_extreme_logits_stay_finite_and_ordered(logits: list[float]) -> None:
    z = torch.tensor([logits], requires_grad=True)
    joint = EntireSpaceProduct(CHAIN)(z)
    joint.sum().backward()
    assert torch.isfinite(joint).all() and torch.isfinite(z.grad).all()
    click, cart, buy, like = joint[0].tolist()
    slack = 1e-5 * (1 + abs(click))
    assert buy - slack <= cart <= click + slack
    assert (click, like) == (logits[0], logits[3])


@pytest.mark.parametrize("big", [30.0, 200.0, 5000.0])
def test_a_certain_predecessor_leaves_the_logit_alone(big: float) -> None:
    """In float32, 1 - sigmoid(30) is 0: the logit must not be lost on the way."""
    joint = EntireSpaceProduct(schema(Task("click"), Task("buy", given="click")))(torch.tensor([[big, -2.0], [-3.0, big]]))
    torch.testing.assert_close(joint[:, 1], torch.tensor([-2.0, -3.0]))


def test_two_near_certain_events() -> None:
    """1 - (1 - a)(1 - b) is a + b for small a and b, so two logits z give z - ln 2."""
    joint = EntireSpaceProduct(schema(Task("click"), Task("buy", given="click")))(torch.tensor([[60.0, 60.0]]))
    torch.testing.assert_close(joint, torch.tensor([[60.0, 60.0 - math.log(2)]]))


def test_a_task_may_come_before_the_one_it_needs() -> None:
    block = EntireSpaceProduct(schema(Task("buy", given="click"), Task("click")))
    joint = torch.sigmoid(block(torch.tensor([[0.0, math.log(3)]])))
    torch.testing.assert_close(joint, torch.tensor([[0.375, 0.75]]))


def test_impossible_chains_are_refused() -> None:
    with pytest.raises(ValueError, match="which is no task; name one of click"):
        EntireSpaceProduct(schema(Task("click", given="view")))
    with pytest.raises(ValueError, match="depends on itself"):
        EntireSpaceProduct(schema(Task("click", given="buy"), Task("buy", given="click")))
