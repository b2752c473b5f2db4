"""Contrast between scenarios' encodings, against its formula. Notation: B rows, F fields, D embedding width, S scenarios."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from random_rows import RICH
from slopes import away_from_the_start
from torch import Tensor

from sandboxes.kit.layers import ScenarioContrast, drawn_instead

B, D, S = 5, 2, RICH.categorical[2].cardinality
FIELDS = torch.randn(B, RICH.n_fields, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
SCENARIO = torch.tensor([2, 3, 4, 2, 1])
SCENE = RICH.index_of("scene")


def built(n_scenarios: int = S, **sizes: int) -> ScenarioContrast:
    torch.manual_seed(1)
    block = ScenarioContrast(RICH, RICH.n_fields, D, n_scenarios, temperature=0.3, loss_weight=0.5, **sizes)
    away_from_the_start(block)
    return block


def test_each_rows_two_encodings_are_told_from_those_of_the_others() -> None:
    block = built(hidden_dim=6, projection_dim=4)
    w = {n: p.detach().numpy() for n, p in block.named_parameters()}
    torch.manual_seed(2)
    others = drawn_instead(SCENARIO, S)
    torch.manual_seed(2)
    computed = block(FIELDS, SCENARIO).item()

    def view(b: int, s: int) -> np.ndarray:
        x = np.delete(FIELDS[b].numpy(), SCENE, 0).flatten()
        weight = w["encoder.shared.weight"] * (1 + w["encoder.factor"][s])
        z = w["project.weight"] @ np.maximum(weight @ x + w["encoder.shared.bias"] + w["encoder.shift"][s], 0)
        return z / np.linalg.norm(z)

    own = [view(b, int(s)) for b, s in enumerate(SCENARIO)]
    other = [view(b, int(s)) for b, s in enumerate(others)]
    loss = 0.0
    for first, second in ((own, other), (other, own)):
        for b in range(B):
            scores = [math.exp(first[b] @ second[c] / 0.3) for c in range(B)]
            loss -= math.log(scores[b] / sum(scores)) / (2 * B)
    assert computed == pytest.approx(0.5 * loss, abs=1e-9)


def test_the_other_scenario_is_another() -> None:
    asked: list[Tensor] = []
    block = built()
    block.encoder.register_forward_hook(lambda module, given, output: asked.append(given[1]))
    for _ in range(20):
        block(FIELDS, SCENARIO)
    for own, other in zip(asked[::2], asked[1::2], strict=True):
        assert torch.equal(own, SCENARIO) and (own != other).all() and (other >= 2).all()


def test_what_names_the_scenario_and_a_row_without_others_say_nothing() -> None:
    block, named = built(), FIELDS.clone()
    named[:, SCENE] += 1
    losses = []
    for fields in (FIELDS, named):
        torch.manual_seed(3)
        losses.append(block(fields, SCENARIO).item())
    assert losses[0] == losses[1]
    assert block(FIELDS[:1], SCENARIO[:1]).item() == 0


def found_again(block: ScenarioContrast) -> float:
    """The share of 200 new rows whose encodings in two scenarios are nearest to each other."""
    rows = torch.randn(200, len(block.kept) * D, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    first, second = (block.view(rows, torch.full((200,), s)) for s in (2, 4))
    return ((first @ second.T).argmax(1) == torch.arange(200)).double().mean().item()


def test_networks_that_drifted_apart_learn_to_recognise_rows_they_have_not_seen() -> None:
    torch.set_num_threads(1)
    block = built(hidden_dim=16, projection_dim=8)
    with torch.no_grad():
        block.encoder.factor.mul_(5)
    before, draw = found_again(block), torch.Generator().manual_seed(6)
    optimizer = torch.optim.Adam(block.parameters(), lr=0.01)
    for _ in range(300):
        fields = torch.randn(64, RICH.n_fields, D, generator=draw, dtype=torch.float64)
        optimizer.zero_grad()
        block(fields, torch.randint(2, S, (64,), generator=draw)).backward()
        optimizer.step()
    assert before < 0.3 and found_again(block) > 0.8
