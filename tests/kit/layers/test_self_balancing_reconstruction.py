"""Difficulties that follow their fields' losses, and weights that follow difficulties. Notation: B rows, C categorical fields."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from random_rows import RICH, random_rows

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import DiscreteDiffusion, FeatureEmbedding, SelfBalancingReconstruction
from sandboxes.kit.layers.self_balancing_reconstruction import EASIEST
from sandboxes.kit.schema import CategoricalField, Schema

B, D = 8, 4
DIFFICULTY = (0.3, -1.2, 0.8)


def built(schema: Schema = RICH, **arguments: float) -> tuple[SelfBalancingReconstruction, FeatureEmbedding, Batch]:
    torch.manual_seed(0)
    block, embedding = SelfBalancingReconstruction(schema, D, **arguments).double(), FeatureEmbedding(schema, D).double()
    batch = random_rows(schema, B).whole
    batch.numeric = batch.numeric.double()
    block.slow_difficulty.data = torch.tensor(DIFFICULTY, dtype=torch.float64) / 10
    return block, embedding, batch


@pytest.mark.parametrize("balance", [0.0, 1.0, 2.5])
def test_the_loss_and_where_its_gradients_go(balance: float) -> None:
    block, embedding, batch = built(balance=balance, loss_weight=0.7, n_steps=4)
    torch.manual_seed(3)
    cross_entropy, hidden = block.denoising(embedding, batch)
    d = np.array(DIFFICULTY)
    w = 3 * np.exp(balance * d) / np.exp(balance * d).sum()
    weighted, cost, pull = torch.zeros(()), 0.0, []
    some = sum(any(row) for row in hidden.tolist())
    for i in range(3):
        parts = [(hidden[b, i] / hidden[b].sum() / some, cross_entropy[b, i]) for b in range(B) if hidden[b, i]]
        of_field = sum(share * loss for share, loss in parts)
        mean = (of_field / sum(share for share, _ in parts)).item() + EASIEST
        weighted, cost = weighted + w[i] * of_field, cost + mean * math.exp(-d[i]) + d[i]
        pull.append(0.7 * 10 * (1 - mean * math.exp(-d[i])))
    weight = block.denoising.network.leave.weight
    (wanted,) = torch.autograd.grad(0.7 * weighted, weight)
    torch.manual_seed(3)
    computed = block(embedding, batch)
    assert computed.item() == pytest.approx(0.7 * (weighted.item() + cost))
    computed.backward()
    torch.testing.assert_close(weight.grad, wanted)
    np.testing.assert_allclose(block.slow_difficulty.grad.numpy(), pull)


def test_without_balance_it_is_the_even_loss_and_its_gradient() -> None:
    block, embedding, batch = built(balance=0.0)
    even = DiscreteDiffusion(RICH, D).double()
    even.denoising.load_state_dict(block.denoising.state_dict())
    gradients = []
    for one in (block, even):
        embedding.zero_grad()
        torch.manual_seed(5)
        one(embedding, batch).backward()
        gradients.append(embedding.table.weight.grad.clone())
    torch.testing.assert_close(*gradients)


def test_difficulties_come_to_rest_at_their_fields_losses_and_hard_fields_weigh_more() -> None:
    """Of three fields one is constant, one a fair coin, one of thirty values: losses 0, ln 2 and ln 30."""
    schema = Schema((CategoricalField("easy", 4), CategoricalField("coin", 4), CategoricalField("hard", 32)))
    torch.manual_seed(0)
    block, embedding = SelfBalancingReconstruction(schema, D, n_steps=10), FeatureEmbedding(schema, D)
    optimiser = torch.optim.Adam([*block.parameters(), *embedding.parameters()], lr=0.01)
    for _ in range(400):
        ids = torch.stack([torch.full((128,), 2), torch.randint(2, 4, (128,)), torch.randint(2, 32, (128,))], 1)
        optimiser.zero_grad()
        block(embedding, Batch(ids, torch.zeros(128, 0))).backward()
        optimiser.step()
    easy, coin, hard = block.difficulty.tolist()
    assert math.log(EASIEST) - 0.5 < easy < math.log(0.1)
    assert coin == pytest.approx(math.log(math.log(2)), abs=0.2) and hard == pytest.approx(math.log(math.log(30)), abs=0.2)


def test_a_field_that_is_nowhere_hidden_keeps_its_difficulty() -> None:
    block, embedding, batch = built(n_steps=10000)
    for seed in range(50):
        torch.manual_seed(seed)
        hidden = block.denoising(embedding, batch[:1])[1].any(0)
        block.zero_grad()
        torch.manual_seed(seed)
        block(embedding, batch[:1]).backward()
        assert torch.equal(block.slow_difficulty.grad != 0, hidden)
