"""Blocks that adapt to the scenario, against their formulas. Notation: B rows, K width, S scenarios."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sandboxes.kit.layers import CrossDomainTransfer, FiLMGating, ScenarioNormalisation, StarTopology
from sandboxes.kit.layers.by_scenario import by_scenario
from sandboxes.kit.layers.scenario_normalisation import EPSILON

Array = NDArray[np.float64]
K, S = 3, 4


def batch(seed: int, scenarios: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    draw = np.random.default_rng(seed)
    ids = np.array(scenarios)
    return torch.from_numpy(draw.normal(ids[:, None], 1 + ids[:, None], (len(ids), K))), torch.from_numpy(ids)


def normalisation(momentum: float = 0.1) -> ScenarioNormalisation:
    """With parameters away from their start."""
    block = ScenarioNormalisation(K, S, momentum).double()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(torch.randn_like(parameter))
    return block


def affine(block: ScenarioNormalisation, normed: Array, scenario: int) -> Array:
    scale, shift, of_scale, of_shift = (
        p.detach().numpy() for p in (block.scale, block.shift, block.scenario_scale, block.scenario_shift)
    )
    return scale * of_scale[scenario] * normed + shift + of_shift[scenario]


def test_training_normalises_with_the_scenarios_rows() -> None:
    block, (x, scenario) = normalisation(), batch(1, [0, 1, 0, 1, 1, 0, 2, 2])
    computed = block(x, scenario).detach().numpy()
    for b in range(len(x)):
        own = x[scenario == scenario[b]].numpy()
        normed = (x[b].numpy() - own.mean(0)) / np.sqrt(own.var(0) + EPSILON)
        np.testing.assert_allclose(computed[b], affine(block, normed, int(scenario[b])), atol=1e-9)


def test_prediction_normalises_with_the_mean_of_the_first_batches() -> None:
    """Two batches of a scenario weigh the same while that is more than the momentum; the variance is that of both together."""
    block = normalisation(momentum=0.1)
    for seed in (1, 2):
        block(*batch(seed, [0, 0, 0, 0, 1, 1, 1, 1]))
    seen = np.concatenate([batch(seed, [0, 0, 0, 0, 1, 1, 1, 1])[0].numpy()[4:] for seed in (1, 2)])
    x, scenario = batch(3, [1])
    normed = (x[0].numpy() - seen.mean(0)) / np.sqrt(seen.var(0) + EPSILON)
    np.testing.assert_allclose(block.eval()(x, scenario)[0].detach().numpy(), affine(block, normed, 1), atol=1e-9)


def test_later_batches_move_the_moments_by_the_momentum() -> None:
    block = normalisation(momentum=0.5)
    batches = [batch(seed, [0, 0, 0]) for seed in range(4)]
    for x, scenario in batches:
        block(x, scenario)
    mean, variance = batches[0][0].numpy().mean(0), batches[0][0].numpy().var(0)
    for x, _ in batches[1:]:
        new = x.numpy()
        variance = 0.5 * variance + 0.5 * new.var(0) + 0.25 * (new.mean(0) - mean) ** 2
        mean = 0.5 * mean + 0.5 * new.mean(0)
    np.testing.assert_allclose(block.mean[0], mean)
    np.testing.assert_allclose(block.variance[0], variance)


def test_a_scenario_never_seen_gets_the_moments_of_all_rows() -> None:
    block, (x, scenario) = normalisation(), batch(1, [0, 1, 1, 0, 0])
    block(x, scenario)
    new, unseen = batch(2, [3])
    normed = (new[0].numpy() - x.numpy().mean(0)) / np.sqrt(x.numpy().var(0) + EPSILON)
    np.testing.assert_allclose(block.eval()(new, unseen)[0].detach().numpy(), affine(block, normed, 3), atol=1e-9)


def test_a_lonely_row_in_training_gets_moving_moments() -> None:
    block = normalisation()
    block(*batch(1, [0, 0, 0, 1, 1]))
    x, scenario = batch(2, [0, 0, 1])
    wanted = block.eval()(x, scenario)[2]
    before = block.mean.clone()
    torch.testing.assert_close(block.train()(x, scenario)[2], wanted)
    assert torch.equal(block.mean[1], before[1]) and not torch.equal(block.mean[0], before[0])


def test_the_very_first_row_passes_as_it_is() -> None:
    block = ScenarioNormalisation(K, S)
    x = torch.randn(1, K)
    torch.testing.assert_close(block(x, torch.tensor([2])), x / (1 + EPSILON) ** 0.5)


def test_prediction_changes_no_statistics() -> None:
    block = normalisation()
    block(*batch(1, [0, 1, 1, 0, 0]))
    before = {name: value.clone() for name, value in block.state_dict().items()}
    block.eval()(*batch(2, [0, 0, 0]))
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())


def test_scenarios_of_different_scale_come_out_alike() -> None:
    block = ScenarioNormalisation(K, S).double()
    x, scenario = batch(1, [0] * 200 + [3] * 200)
    normed = block(x, scenario).detach()
    for s in (0, 3):
        torch.testing.assert_close(normed[scenario == s].mean(0), torch.zeros(K).double(), atol=1e-6, rtol=0)
        torch.testing.assert_close(normed[scenario == s].std(0, correction=0), torch.ones(K).double(), atol=1e-3, rtol=0)


def test_film_gating() -> None:
    block = FiLMGating(K, S, scenario_dim=5).double()
    with torch.no_grad():
        block.modulation.bias.copy_(torch.randn(2 * K))
    x, scenario = batch(1, [0, 1, 3, 2, 1])
    table, weight, bias = (p.detach().numpy() for p in (block.table.weight, block.modulation.weight, block.modulation.bias))
    computed = block(x, scenario).detach().numpy()
    for b, s in enumerate(scenario.tolist()):
        both = weight @ table[s] + bias
        np.testing.assert_allclose(computed[b], (1 + both[:K]) * x[b].numpy() + both[K:], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_film_gating_starts_near_the_identity(seed: int) -> None:
    torch.manual_seed(seed)
    x = torch.randn(50, K)
    assert (FiLMGating(K, S)(x, torch.arange(50) % S) - x).abs().max() < 1.0


def test_each_scenario_has_its_own_rows_and_the_order_is_kept() -> None:
    x, scenario = batch(1, [3, 0, 3, 1, 0, 3])
    called: dict[int, int] = {}

    def of_scenario(rows: torch.Tensor, s: int) -> torch.Tensor:
        called[s] = len(rows)
        return rows * (s + 1)

    assert torch.equal(by_scenario(x, scenario, of_scenario), x * (scenario + 1).unsqueeze(1))
    assert called == {0: 2, 1: 1, 3: 3}


def moved(block: torch.nn.Module) -> torch.nn.Module:
    """With parameters away from their start."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(torch.randn_like(parameter))
    return block.double()


def test_star_topology() -> None:
    block, (x, scenario) = moved(StarTopology(K, S, n_layers=2)), batch(1, [0, 1, 3, 2, 1])
    computed = block(x, scenario).detach().numpy()
    for b, s in enumerate(scenario.tolist()):
        state = x[b].numpy()
        for layer in block.layers:
            weight, bias, factor, shift = (
                p.detach().numpy() for p in (layer.shared.weight, layer.shared.bias, layer.factor[s], layer.shift[s])
            )
            state = np.maximum((weight * (1 + factor)) @ state + bias + shift, 0)
        np.testing.assert_allclose(computed[b], state, atol=1e-9)


def test_a_scenario_without_rows_keeps_the_shared_weights() -> None:
    """And the gradients of the others leave its own parameters alone."""
    block, (x, scenario) = StarTopology(K, S).double(), batch(1, [0, 1, 0, 1, 1])
    optimizer = torch.optim.SGD(block.parameters(), lr=0.1)
    block(x, scenario).square().sum().backward()
    optimizer.step()
    layer = block.layers[0]
    assert (layer.factor[:2] != 0).any() and (layer.factor[2:] == 0).all() and (layer.shift[2:] == 0).all()
    torch.testing.assert_close(block(x, torch.full_like(scenario, 3)), layer.shared(x).relu())


def test_cross_domain_transfer() -> None:
    block, (x, scenario) = moved(CrossDomainTransfer(K, S)), batch(1, [0, 1, 3, 2, 1])
    w = {name: p.detach().numpy() for name, p in block.named_parameters()}
    computed = block(x, scenario).detach().numpy()
    for b, s in enumerate(scenario.tolist()):
        shared = np.maximum(w["shared.weight"] @ x[b].numpy() + w["shared.bias"], 0)
        own = np.maximum(w["own_weight"][s] @ x[b].numpy() + w["own_bias"][s], 0)
        share = 1 / (1 + np.exp(-(w["gate.weight"] @ np.concatenate([shared, own]) + w["gate.bias"])))
        np.testing.assert_allclose(computed[b], share * shared + (1 - share) * own, atol=1e-9)


def test_before_training_a_transfer_is_the_shared_layer_in_every_scenario() -> None:
    block, (x, scenario) = CrossDomainTransfer(K, S).double(), batch(1, [0, 1, 3, 2, 1])
    torch.testing.assert_close(block(x, scenario), block.shared(x))
