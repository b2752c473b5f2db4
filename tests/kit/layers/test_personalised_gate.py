"""Gates of hidden units that know user and item, against their formula.

Notation: B rows, F fields, D embedding width, K width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from slopes import away_from_the_start, gradients_are_slopes
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers import PersonalisedGate
from sandboxes.kit.schema import CategoricalField, NumericField, Schema

B, D, K = 5, 2, 4
USER, ITEM = CategoricalField("user", 9, "user"), CategoricalField("item", 7, "item")
SIDES = Schema((CategoricalField("hour", 5), USER, ITEM), (NumericField("age", "user"),))
NO_SIDES = Schema((CategoricalField("c1", 5), CategoricalField("c2", 9)))


def drawn() -> tuple[Tensor, Tensor]:
    draw = np.random.default_rng(0)
    return torch.from_numpy(draw.normal(size=(B, K))), torch.from_numpy(draw.normal(size=(B, 4, D)))


@pytest.mark.parametrize("gate_input", [False, True])
@pytest.mark.parametrize(("by_item", "about"), [(True, [1, 2, 3]), (False, [1, 3])])
def test_every_unit_of_every_layer_is_scaled(gate_input: bool, by_item: bool, about: list[int]) -> None:
    made = PersonalisedGate(SIDES, K, D, (6, 3), gate_units=5, gate_scale=1.5, gate_input=gate_input, by_item=by_item)
    block, (flat, fields) = away_from_the_start(made), drawn()
    computed, w = block(flat, fields).detach().numpy(), {n: p.detach().numpy() for n, p in block.named_parameters()}

    def factors(gate: str, known: np.ndarray) -> np.ndarray:
        hidden = np.maximum(w[f"{gate}.hidden.weight"] @ known + w[f"{gate}.hidden.bias"], 0)
        return 1.5 / (1 + np.exp(-(w[f"{gate}.factors.weight"] @ hidden + w[f"{gate}.factors.bias"])))

    for b in range(B):
        known = np.concatenate([fields[b, about].flatten().numpy(), flat[b].numpy()])
        z = flat[b].numpy() * (factors("input_gate", known) if gate_input else 1)
        for layer in range(2):
            z = np.maximum(w[f"layers.{layer}.weight"] @ z + w[f"layers.{layer}.bias"], 0) * factors(f"gates.{layer}", known)
        np.testing.assert_allclose(computed[b], z, atol=1e-9)


def test_of_data_without_sides_the_gates_are_about_all_fields() -> None:
    assert PersonalisedGate(NO_SIDES, K, D, (3,)).about == [0, 1]


def test_gates_learn_from_the_input_and_teach_it_nothing() -> None:
    """The input's gradient is that of the network with its gates held fast; the fields of user and item get the gates' own."""
    block, (flat, fields) = away_from_the_start(PersonalisedGate(SIDES, K, D, (6, 3), gate_units=5)), drawn()
    known = torch.cat([fields[:, [1, 2, 3]].flatten(1), flat], 1)
    held = [gate(known).detach() for gate in block.gates]
    leaf, free, gated = flat.clone().requires_grad_(), flat.clone().requires_grad_(), fields.clone().requires_grad_()
    block(leaf, gated).sum().backward()
    (held[1] * block.layers[1](held[0] * block.layers[0](free))).sum().backward()
    torch.testing.assert_close(leaf.grad, free.grad)
    assert (gated.grad[:, [1, 2, 3]] != 0).any() and (gated.grad[:, 0] == 0).all()
    assert gradients_are_slopes(block, lambda: block(flat, fields), [fields])


def tastes(n: int) -> tuple[Tensor, Tensor, Tensor]:
    """Whether an item's traits suit the user's taste: user and item (n, 2, 6), flat too, labels (n,)."""
    fields = torch.randn(n, 2, 6)
    return fields.flatten(1), fields, (fields.prod(1).sum(1) > 0).float()


def accuracy(personal: bool) -> float:
    """With four hidden units; their gates stay at 1 unless `personal`."""
    torch.manual_seed(0)
    block, output = PersonalisedGate(Schema((USER, ITEM)), 12, 6, (4,), gate_units=32), nn.Linear(4, 1)
    if not personal:
        for parameter in block.gates[0].parameters():
            nn.init.zeros_(parameter).requires_grad_(False)
    free = [p for p in (*block.parameters(), *output.parameters()) if p.requires_grad]
    optimizer = torch.optim.Adam(free, lr=0.01)
    for _ in range(300):
        flat, fields, label = tastes(256)
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(output(block(flat, fields)).squeeze(1), label).backward()
        optimizer.step()
    with torch.no_grad():
        flat, fields, label = tastes(2000)
        return ((output(block(flat, fields)).squeeze(1) > 0) == (label > 0.5)).float().mean().item()


def test_what_a_trait_is_worth_depends_on_the_user() -> None:
    assert accuracy(personal=True) > accuracy(personal=False) + 0.05
