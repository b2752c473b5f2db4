"""Losses of policies against their formulas by hand, and what they are for: unbiased, doubly robust, and never stuck."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from planted_decisions import ACTIONS, SCHEMAS, planted
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.off_policy import effective_sample_size, inverse_propensity_value, self_normalised_value, weights_of
from sandboxes.kit.policy_losses import (
    doubly_robust_loss,
    inverse_propensity_loss,
    reward_regression,
    softmax_policy,
)

N_IDS = ACTIONS + 2


def decisions(rows: int, seed: int = 0) -> Batch:
    return planted(SCHEMAS["user"], rows, seed).all


def scores_of(rows: int, seed: int = 0, spread: float = 1.0) -> Tensor:
    return spread * torch.randn(rows, N_IDS, generator=torch.Generator().manual_seed(seed))


def by_hand(batch: Batch, scores: Tensor) -> tuple[np.ndarray, ...]:
    """Policy (n, A), weights, rewards and places of the actions (n,)."""
    assert batch.answer is not None and batch.propensity is not None and batch.labels is not None
    known = scores.numpy()[:, 2:].astype(np.float64)
    policy = np.exp(known) / np.exp(known).sum(1, keepdims=True)
    taken = batch.answer.numpy() - 2
    return policy, policy[np.arange(len(taken)), taken] / batch.propensity.numpy(), batch.labels.numpy()[:, 0], taken


def test_a_policy_is_a_softmax_of_known_actions() -> None:
    scores = scores_of(5)
    policy, *_ = by_hand(decisions(5), scores)
    made = softmax_policy(scores)
    assert torch.equal(made[:, :2], torch.zeros(5, 2)) and np.allclose(made[:, 2:].numpy(), policy, atol=1e-6)
    sharp = softmax_policy(scores, 0.5)[:, 2:].numpy()
    assert np.allclose(sharp, policy**2 / (policy**2).sum(1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("translation", [0.0, 1.0])
def test_inverse_propensity_by_hand(translation: float) -> None:
    batch, scores = decisions(50), scores_of(50)
    policy, weights, rewards, taken = by_hand(batch, scores)
    gain = ((rewards - translation * rewards.mean()) * weights).mean()
    imitation = -0.5 * rewards.mean() * np.log(policy[np.arange(50), taken]).mean()
    found = inverse_propensity_loss(scores, batch, translation=translation, imitation=0.5)
    assert found.item() == pytest.approx(imitation - gain, rel=1e-4)


def test_weights_are_clipped_where_they_would_gain_alone() -> None:
    batch, scores = decisions(400), scores_of(400).requires_grad_()
    _, weights, rewards, _ = by_hand(batch, scores.detach())
    gains = rewards - rewards.mean()
    loss = inverse_propensity_loss(scores, batch, clip=1.5, imitation=0.0)
    wanted = np.where((gains > 0) & (weights > 1.5), 1.5, weights) * gains
    assert loss.item() == pytest.approx(-wanted.mean(), rel=1e-4)
    loss.backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    moved = scores.grad.abs().sum(1).numpy() > 1e-9
    assert (moved == ~((gains > 0) & (weights > 1.5))).all() and 0 < (~moved).sum() < 400


def test_the_logging_policy_gains_nothing() -> None:
    """With its own mean reward as the translation; without one its loss is minus that mean."""
    batch = decisions(300)
    assert batch.labels is not None
    preferred = torch.linspace(1, 3, ACTIONS).log()
    scores = torch.cat([torch.zeros(2), preferred]).expand(300, -1)
    assert inverse_propensity_loss(scores, batch, imitation=0.0).item() == pytest.approx(0, abs=1e-6)
    plain = inverse_propensity_loss(scores, batch, translation=0.0, imitation=0.0).item()
    assert plain == pytest.approx(-batch.labels.mean().item(), rel=1e-5)


def test_doubly_robust_by_hand() -> None:
    batch, scores = decisions(60), scores_of(60)
    estimates = torch.sigmoid(scores_of(60, 1)).requires_grad_()
    policy, weights, rewards, taken = by_hand(batch, scores)
    q = estimates.detach().numpy()[:, 2:].astype(np.float64)
    value = (policy * q).sum(1) + weights * (rewards - q[np.arange(60), taken])
    found = doubly_robust_loss(scores.requires_grad_(), estimates, batch, imitation=0.0)
    assert found.item() == pytest.approx(-value.mean(), rel=1e-4)
    found.backward()  # type: ignore[no-untyped-call]
    assert estimates.grad is None and scores.grad is not None


def test_doubly_robust_is_right_where_either_is() -> None:
    """With true estimates and wrong propensities, and the other way round; inverse propensities alone are then misled."""
    rows = planted(SCHEMAS["user"], 60_000, 3)
    scores = torch.zeros(len(rows), N_IDS)
    scores[:, 2] = 2.0
    true = rows.value(softmax_policy(scores).numpy())
    right = torch.from_numpy(np.pad(rows.rewards, ((0, 0), (2, 0)))).float()
    wrong_log = Batch(rows.all.ids, rows.all.numeric, {}, rows.all.labels, rows.all.answer, torch.full((len(rows),), 0.2))
    by_estimates = -doubly_robust_loss(scores, right, wrong_log, imitation=0.0).item()
    by_propensities = -doubly_robust_loss(scores, torch.full_like(right, 0.9), rows.all, 1e9, imitation=0.0).item()
    assert by_estimates == pytest.approx(true, abs=0.01) and by_propensities == pytest.approx(true, abs=0.02)
    misled = -inverse_propensity_loss(scores, wrong_log, translation=0.0, imitation=0.0).item()
    blind = (softmax_policy(scores) * 0.9).sum(1).mean().item()
    assert abs(misled - true) > 0.05 and abs(blind - true) > 0.3


def test_estimates_make_for_less_variance() -> None:
    rows = [planted(SCHEMAS["user"], 200, seed) for seed in range(60)]
    scores = scores_of(200, spread=0.5)
    spread = {}
    for name in ("ips", "doubly robust"):
        values = []
        for made in rows:
            q = torch.from_numpy(np.pad(made.rewards, ((0, 0), (2, 0)))).float()
            plain = inverse_propensity_loss(scores, made.all, translation=0.0, imitation=0.0)
            values.append((doubly_robust_loss(scores, q, made.all, imitation=0.0) if name == "doubly robust" else plain).item())
        spread[name] = np.std(values)
    assert spread["doubly robust"] < 0.9 * spread["ips"]


def test_a_policy_that_has_settled_can_still_move() -> None:
    """Imitation leaves a gradient where that of the value is gone."""
    batch = decisions(100)
    for imitation, moves in ((0.0, False), (0.03, True)):
        scores = torch.zeros(100, N_IDS)
        scores[:, 3] = 60.0
        scores.requires_grad_()
        inverse_propensity_loss(scores, batch, imitation=imitation).backward()  # type: ignore[no-untyped-call]
        assert scores.grad is not None and (scores.grad.abs().max().item() > 1e-6) == moves


def test_reward_regression_by_hand() -> None:
    batch, scores = decisions(40), scores_of(40)
    _, _, rewards, taken = by_hand(batch, scores)
    p = 1 / (1 + np.exp(-scores.numpy()[np.arange(40), taken + 2].astype(np.float64)))
    assert reward_regression(scores, batch).item() == pytest.approx(
        -(rewards * np.log(p) + (1 - rewards) * np.log(1 - p)).mean(), rel=1e-5
    )


def test_padding_and_the_unknown_action_take_no_part() -> None:
    batch, scores = decisions(40), scores_of(40)
    other = scores.clone()
    other[:, :2] = 50.0
    estimates = torch.sigmoid(scores_of(40, 1))
    assert inverse_propensity_loss(scores, batch).equal(inverse_propensity_loss(other, batch))
    assert doubly_robust_loss(scores, estimates, batch).equal(doubly_robust_loss(other, estimates, batch))


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 1)), min_size=1, max_size=30))
def test_estimates_of_value(drawn: list[tuple[float, int]]) -> None:
    weights, rewards = np.array([w for w, _ in drawn]), np.array([r for _, r in drawn], float)
    effective = effective_sample_size(weights)
    assert 0 <= effective <= len(drawn) * (1 + 1e-9)
    assert effective_sample_size(np.full(7, 3.0)) == pytest.approx(7)
    if (weights > 1e-6).any():
        value = self_normalised_value(weights, rewards)
        assert -1e-9 <= value <= 1 + 1e-9 and effective >= 1 - 1e-9
        assert inverse_propensity_value(weights, rewards) == pytest.approx(value * weights.mean())
        assert self_normalised_value(3 * weights, rewards) == pytest.approx(value)


def test_inverse_propensities_are_unbiased() -> None:
    """Over many logs, of a policy that differs much from the logging one."""
    rows = planted(SCHEMAS["user"], 100_000, 5)
    scores = torch.zeros(100_000, N_IDS)
    scores[:, 2:4] = 3.0  # the best liked actions
    policy = softmax_policy(scores).numpy()
    weights = weights_of(policy, rows.answers.items, rows.propensity)
    error = (weights * rows.labels[:, 0]).std() / np.sqrt(len(rows))
    assert abs(inverse_propensity_value(weights, rows.labels[:, 0]) - rows.value(policy)) < 4 * error
    assert abs(rows.labels.mean() - rows.value(policy)) > 6 * error
