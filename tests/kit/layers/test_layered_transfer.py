"""Layered transfer between networks, against its formula and for what it gives to scenarios with few rows.

Notation: B rows, K width, S scenarios.
"""

from __future__ import annotations

import numpy as np
import torch
from slopes import away_from_the_start
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers import LayeredTransfer

K, S = 3, 4


def drawn(scenarios: list[int]) -> tuple[Tensor, Tensor]:
    x = np.random.default_rng(1).normal(size=(len(scenarios), K))
    return torch.from_numpy(x), torch.tensor(scenarios)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_both_networks_and_both_gates_at_every_layer() -> None:
    block, (x, scenario) = away_from_the_start(LayeredTransfer(K, S, n_layers=3)), drawn([0, 1, 3, 2, 1])
    computed = block(x, scenario).detach().numpy()
    for b, s in enumerate(scenario.tolist()):
        whole = own = x[b].numpy()
        for layer in block.layers:
            w = {name: p.detach().numpy() for name, p in layer.named_parameters()}
            whole = np.maximum(w["whole.weight"] @ whole + w["whole.bias"], 0)
            own = np.maximum(w["own_weight"][s] @ own + w["own_bias"][s], 0)
            both = np.concatenate([whole, own])
            adaptive = sigmoid(w["gates.weight"][:K] @ both + w["gate_bias"][s, :K])
            update = sigmoid(w["gates.weight"][K:] @ both + w["gate_bias"][s, K:])
            joined = np.concatenate([adaptive * whole, own])
            candidate = np.maximum(w["candidate.weight"] @ joined + w["candidate.bias"], 0)
            own = (1 - update) * own + update * candidate
        np.testing.assert_allclose(computed[b], own, atol=1e-9)


def test_the_network_of_all_scenarios_hears_nothing_of_one() -> None:
    block, (x, scenario) = away_from_the_start(LayeredTransfer(K, S)), drawn([0, 1, 3, 2, 1])
    layer = block.layers[0]
    here, own = layer(x, x, scenario)
    there, other = layer(x, x, (scenario + 1) % S)
    assert torch.equal(here, there) and not torch.allclose(own, other)


def test_rows_of_a_scenario_teach_its_own_network_and_that_of_all() -> None:
    block, (x, _) = away_from_the_start(LayeredTransfer(K, S)), drawn([2] * 6)
    block(x, torch.full((6,), 2)).sum().backward()
    layer = block.layers[0]
    assert (layer.whole.weight.grad != 0).any()
    for parameter in (layer.own_weight, layer.own_bias, layer.gate_bias):
        of_scenario = parameter.grad.flatten(1).abs().sum(1)
        assert (of_scenario > 0).tolist() == [False, False, True, False]


RARE, COMMON, WIDE = 0, 1, 12


def rows_of(n: int, scenario: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Whether the first of twelve numbers is far from zero, in either scenario."""
    x = torch.randn(n, WIDE, generator=torch.Generator().manual_seed(seed))
    return x, torch.full((n,), scenario), (x[:, 0].abs() > 0.7).float()


def accuracy_on_the_rare(closed: bool) -> float:
    """After many rows of the common scenario and forty of the rare one; `closed` gates let nothing over."""
    torch.manual_seed(0)
    block, output = LayeredTransfer(WIDE, 2), nn.Linear(WIDE, 1)
    if closed:
        for layer in block.layers:
            nn.init.constant_(layer.gate_bias, -40.0).requires_grad_(False)
    free = [p for module in (block, output) for p in module.parameters() if p.requires_grad]
    optimizer, few = torch.optim.Adam(free, lr=0.01, weight_decay=1e-4), rows_of(40, RARE, seed=1)
    for step in range(200):
        x, scenario, label = (torch.cat(parts) for parts in zip(few, rows_of(200, COMMON, seed=100 + step), strict=True))
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(output(block(x, scenario)).squeeze(1), label).backward()
        optimizer.step()
    x, scenario, label = rows_of(2000, RARE, seed=2)
    with torch.no_grad():
        return ((output(block(x, scenario)).squeeze(1) > 0) == (label > 0.5)).float().mean().item()


def test_a_scenario_with_few_rows_takes_over_what_all_have_learned() -> None:
    torch.set_num_threads(1)
    assert accuracy_on_the_rare(closed=False) > accuracy_on_the_rare(closed=True) + 0.05
