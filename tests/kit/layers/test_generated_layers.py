"""Layers whose weights are generated, against their formula, and for what fixed ones cannot do.

Notation: B rows, F fields, D embedding width, K width, S scenarios.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_rows import ILLUSTRATED
from slopes import away_from_the_start
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers import FiLMGating, GeneratedLayers
from sandboxes.kit.layers.side_fields import fields_but, fields_of
from sandboxes.kit.schema import CategoricalField, NumericField, Schema

K, S, D, RANK = 3, 4, 2, 2
OF_USER = Schema(
    (CategoricalField("tag", 5), CategoricalField("user", 9, "user")), (NumericField("age", "user"),), scenario="tag"
)


def drawn(scenarios: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    draw, n = np.random.default_rng(1), len(scenarios)
    return torch.from_numpy(draw.normal(size=(n, K))), torch.tensor(scenarios), torch.from_numpy(draw.normal(size=(n, 3, D)))


def test_weights_come_of_the_scenario_and_then_of_the_user() -> None:
    block = away_from_the_start(GeneratedLayers(OF_USER, K, D, S, RANK, meta_units=5, n_layers=2, scenario_dim=6))
    x, scenario, fields = drawn([0, 1, 3, 2, 1])
    computed, w = block(x, scenario, fields).detach().numpy(), {n: p.detach().numpy() for n, p in block.named_parameters()}
    for b, s in enumerate(scenario.tolist()):
        z = x[b].numpy()
        for level, condition in enumerate((w["table.weight"][s], fields[b, [1, 2]].flatten().numpy())):
            for layer in (f"levels.{level}.{i}" for i in range(2)):
                known = np.maximum(w[f"{layer}.hidden.weight"] @ condition + w[f"{layer}.hidden.bias"], 0)
                core = (w[f"{layer}.core.weight"] @ known + w[f"{layer}.core.bias"]).reshape(RANK, RANK)
                weights = w[f"{layer}.write.weight"] @ core @ w[f"{layer}.read.weight"]
                z = z + weights @ z + w[f"{layer}.bias.weight"] @ known + w[f"{layer}.bias.bias"]
                z = np.where(z > 0, z, 0.2 * z)
        np.testing.assert_allclose(computed[b], z, atol=1e-9)


def test_without_fields_of_the_user_or_when_not_asked_for_there_is_one_level() -> None:
    contextual = replace(OF_USER, categorical=(CategoricalField("tag", 5),), numeric=())
    assert len(GeneratedLayers(contextual, K, D, S).levels) == 1
    assert len(GeneratedLayers(OF_USER, K, D, S, by_user=False).levels) == 1
    assert len(GeneratedLayers(OF_USER, K, D, S).levels) == 2


@pytest.mark.parametrize("seed", range(3))
def test_a_layer_starts_as_hardly_more_than_its_input(seed: int) -> None:
    torch.manual_seed(seed)
    x, scenario, fields = (part.float() if part.is_floating_point() else part for part in drawn([0, 1, 3, 2, 1]))
    block = GeneratedLayers(OF_USER, K, D, S)
    twice = functional.leaky_relu(functional.leaky_relu(x, 0.2), 0.2)
    assert (block(x, scenario, fields) - twice).abs().max() < 0.3


def test_fields_of_a_side_are_found_where_a_model_has_them() -> None:
    sides = [ILLUSTRATED.sides[i] for i in fields_of(ILLUSTRATED, "user", "item")]
    assert set(sides) == {"user", "item"} and len(sides) == len([s for s in ILLUSTRATED.sides if s != "context"])
    of_items = replace(ILLUSTRATED, tasks=ILLUSTRATED.tasks[:1], predicts="items")
    seen = [of_items.sides[i] for i in of_items.query_fields]
    assert [seen[i] for i in fields_of(of_items, "user")] == ["user"] * seen.count("user")
    scene = of_items.index_of("scene")
    left_out = set(range(8)) - set(fields_but(of_items, 8, scene))
    assert [of_items.query_fields[i] for i in left_out] == [scene]


WIDE = 6
PAIRS = torch.combinations(torch.arange(WIDE), 2)  # one for each of 15 scenarios


def which_number_counts(n: int) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """The label is the sign of the product of two numbers, and the scenario says of which two."""
    x, scenario = torch.randn(n, WIDE), torch.randint(len(PAIRS), (n,))
    return (x, scenario, torch.zeros(n, 3, D)), (x.gather(1, PAIRS[scenario]).prod(1) > 0).float()


def accuracy(block: nn.Module, modulated: bool) -> float:
    """With a deep part above, which is the same for all scenarios."""
    torch.manual_seed(0)
    deep = nn.Sequential(nn.Linear(WIDE, 4), nn.ReLU(), nn.Linear(4, 1))
    optimizer = torch.optim.Adam([*block.parameters(), *deep.parameters()], lr=0.01)
    for _ in range(500):
        given, label = which_number_counts(256)
        optimizer.zero_grad()
        logits = deep(block(*(given[:2] if modulated else given))).squeeze(1)
        functional.binary_cross_entropy_with_logits(logits, label).backward()
        optimizer.step()
    with torch.no_grad():
        given, label = which_number_counts(2000)
        logits = deep(block(*(given[:2] if modulated else given))).squeeze(1)
        return ((logits > 0) == (label > 0.5)).float().mean().item()


def test_generated_weights_bring_together_what_the_scenario_wants_together() -> None:
    """Scales and shifts can mute numbers, but not move them to where a small deep part looks for them."""
    torch.manual_seed(1)
    generated = accuracy(GeneratedLayers(OF_USER, WIDE, D, len(PAIRS), rank=WIDE, by_user=False), modulated=False)
    assert generated > 0.93
    assert generated > accuracy(FiLMGating(WIDE, len(PAIRS)), modulated=True) + 0.02
