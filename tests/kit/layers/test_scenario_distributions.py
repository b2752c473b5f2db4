"""Gaussians of a scenario: their draws, their divergence from the shared vector, and what a small scenario borrows.

Notation: B rows, F fields, D embedding width, S scenarios.
"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from sandboxes.kit.layers import ScenarioDistributions
from sandboxes.kit.layers.table import INITIAL_STD

B, F, D, S = 9, 2, 3, 4


def built(**arguments: float) -> ScenarioDistributions:
    torch.manual_seed(0)
    block = ScenarioDistributions(F, D, S, **arguments).double()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.5)
    return block


def inputs() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    return torch.randn(B, F, D, generator=draw, dtype=torch.float64), torch.randint(0, S, (B,), generator=draw)


def posterior(block: ScenarioDistributions, vector: Tensor, field: int, scenario: int) -> Normal:
    told = vector @ block.maps[scenario] + block.offsets[scenario, field]
    return Normal(vector + told[:D], INITIAL_STD * told[D:].exp())


def test_means_at_prediction_draws_in_training_and_their_divergence() -> None:
    block, (fields, scenario) = built(kl_weight=0.3, prior_std=0.4), inputs()
    draws = torch.stack([block.train()(fields, scenario) for _ in range(3000)]).detach()
    means, total = block.eval()(fields, scenario), torch.zeros(())
    for b in range(B):
        for f in range(F):
            own = posterior(block, fields[b, f], f, scenario[b])
            torch.testing.assert_close(means[b, f], own.mean)
            torch.testing.assert_close(draws[:, b, f].std(0), own.stddev, rtol=0.1, atol=0)
            assert ((draws[:, b, f].mean(0) - own.mean).abs() < 5 * own.stddev / 3000**0.5).all()
            total = total + kl_divergence(own, Normal(fields[b, f], 0.4)).sum()
    torch.testing.assert_close(block.kl(), 0.3 * total / B)


def test_it_starts_from_the_shared_vectors() -> None:
    fields, scenario = inputs()
    assert torch.equal(ScenarioDistributions(F, D, S).double().eval()(fields, scenario), fields)


def test_a_divergence_is_of_one_forward_and_does_not_outlive_it() -> None:
    block, (fields, scenario) = built(), inputs()
    with pytest.raises(RuntimeError, match="call the block on a batch first"):
        block.kl()
    block(fields, scenario)
    block.kl()
    with pytest.raises(RuntimeError, match="once"):
        block.kl()
    copy.deepcopy(block)


def trained(kl_weight: float) -> tuple[float, float]:
    """In scenario 1 the first field's sign decides, in scenario 2 its opposite does, which the shared vectors cannot say; in
    scenario 3 a few noisy rows. Errors on fresh rows of the large scenarios, and how far scenario 3 has gone from the rest."""
    torch.manual_seed(0)
    block, output = ScenarioDistributions(F, D, S, kl_weight=kl_weight), nn.Linear(F * D, 1)
    optimiser = torch.optim.Adam([*block.parameters(), *output.parameters()], lr=0.03)
    few = torch.randn(6, F, D), torch.full((6,), 3), torch.tensor([0.0, 1, 1, 0, 1, 0])

    def drawn(n: int) -> tuple[Tensor, Tensor, Tensor]:
        fields, scenario = torch.randn(n, F, D), torch.randint(1, 3, (n,))
        return fields, scenario, ((fields[:, 0, 0] > 0) ^ (scenario == 2)).float()

    for _ in range(300):
        fields, scenario, label = (torch.cat(pair) for pair in zip(drawn(64), few, strict=True))
        optimiser.zero_grad()
        logits = output(block(fields, scenario).flatten(1))[:, 0]
        (nn.functional.binary_cross_entropy_with_logits(logits, label) + block.kl()).backward()
        optimiser.step()
    fields, scenario, label = drawn(500)
    wrong = ((output(block.eval()(fields, scenario).flatten(1))[:, 0] > 0) != label.bool()).float().mean().item()
    return wrong, (block.eval()(few[0], few[1]) - few[0]).abs().mean().item()


def test_large_scenarios_have_their_own_vectors_and_small_ones_borrow() -> None:
    wrong, gone = trained(kl_weight=1e-4)
    assert wrong < 0.1
    _, freely = trained(kl_weight=0.0)
    assert gone < 0.6 * freely
