"""Every reference model that predicts actions, on decisions of every shape: it builds, passes the smoke tests, learns what was
planted, and is the same model when it is served, where it meets no collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from planted_decisions import ACTIONS, SCHEMAS, collection, planted
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import ContextScores
from sandboxes.kit.models import ALL_MODELS, ITEM_MODELS, MODELS, POLICY_MODELS
from sandboxes.kit.policy_losses import inverse_propensity_loss, softmax_policy
from sandboxes.kit.schema import Schema
from sandboxes.kit.smoke import smoke
from sandboxes.kit.team import ALONE
from sandboxes.kit.training import TrainConfig, build, fit, goal_of, policies

HYPER = {"embedding_dim": 8, "dropout": 0.0, "hidden_units": (32,)}
CASES = [(model, shape) for model in POLICY_MODELS for shape in SCHEMAS]
CONFIG = TrainConfig(learning_rate=1e-2, batch_size=128, max_epochs=10, patience=4)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_scores_every_action_and_gives_a_policy(model: str, shape: str) -> None:
    schema, rows = SCHEMAS[shape], planted(SCHEMAS[shape], 33)
    built = build(POLICY_MODELS[model], schema, HYPER, 0, collection=collection(schema, rows))
    scores = built(rows.contexts())
    assert scores.shape == (33, ACTIONS + 2) and torch.isfinite(scores).all()
    policy = goal_of(schema).predict(built, rows, "cpu", ALONE)
    assert policy.dtype == np.float32 and policy.shape == (33, ACTIONS + 2)
    assert np.allclose(policy.sum(1), 1, atol=1e-6) and (policy >= 0).all() and (policy[:, :2] == 0).all()


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_passes_every_smoke_test(model: str, shape: str) -> None:
    schema, rows = SCHEMAS[shape], planted(SCHEMAS[shape], 1000)
    checks, parameters = smoke(POLICY_MODELS[model], schema, rows, HYPER, 0, collection(schema, rows))
    assert parameters > 0
    assert [f"{c.name}: {c.detail}" for c in checks if not c.passed] == []


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_learns_what_was_planted_and_is_served_the_same(model: str, shape: str) -> None:
    """By its true value. Without a context nothing is above 0.35; whoever sees it may come to 0.8."""
    schema = SCHEMAS[shape]
    train, valid, test = (planted(schema, n, seed) for seed, n in ((1, 4000), (2, 1000), (3, 1000)))
    fitted = build(POLICY_MODELS[model], schema, HYPER, 0, collection=collection(schema, train))
    fit(fitted, train, valid, CONFIG, goal=goal_of(schema))
    policy = policies(fitted, test, schema.n_items)
    even = np.full_like(policy, 1 / ACTIONS) * (np.arange(ACTIONS + 2) > 1)
    assert 0.28 < test.value(even) < 0.32
    if model == "best_fixed_action":
        assert test.value(even) < test.value(policy) < 0.36
    else:
        assert test.value(policy) > 0.6
    served = build(POLICY_MODELS[model], schema, HYPER, 9)
    served.load_state_dict(fitted.state_dict())
    assert np.array_equal(policies(served, test, schema.n_items), policy)


class Predicting(nn.Module):
    """A sound model whose `predict` is spoiled."""

    def __init__(self, schema: Schema, spoil: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.scores, self.spoil = ContextScores(schema, 8, (16,)), spoil

    def forward(self, batch: Batch) -> Tensor:
        scores: Tensor = self.scores(batch)
        return scores

    def predict(self, batch: Batch) -> Tensor:
        return self.spoil(softmax_policy(self(batch)))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: p, ""),
        (lambda p: 2 * p, "do not add up to 1"),
        (lambda p: p[:, 2:], "`predict` gave shape"),
        (lambda p: p.roll(1, 1), "padding and of the unknown action"),
        (lambda p: torch.cat([p[:, :2], -p[:, 2:]], 1), "negative, NaN or infinite"),
    ],
)
def test_what_is_no_policy_fails_smoke(spoil: Callable[[Tensor], Tensor], said: str) -> None:
    schema, rows = SCHEMAS["user"], planted(SCHEMAS["user"], 600)
    checks, _ = smoke(partial(Predicting, spoil=spoil), schema, rows, {})  # type: ignore[arg-type]
    (forward,) = [c for c in checks if c.name.startswith("forward gives finite scores")]
    assert forward.passed == (not said) and said in forward.detail


def test_one_that_prefers_what_failed_does_not_pass() -> None:
    schema, rows = SCHEMAS["user"], planted(SCHEMAS["user"], 600)

    class Contrary(ContextScores):
        def __init__(self, schema: Schema) -> None:
            super().__init__(schema, 8, (16,))

        def loss(self, batch: Batch) -> Tensor:
            return -inverse_propensity_loss(self(batch), batch, imitation=0.0)

    checks, _ = smoke(Contrary, schema, rows, {})
    assert "the policy's value on 64 rows is" in next(c.detail for c in checks if c.name == "64 rows can be overfitted")


def test_epochs_are_told_apart_by_the_self_normalised_value() -> None:
    schema, valid = SCHEMAS["user"], planted(SCHEMAS["user"], 500)
    goal, policy = goal_of(schema), np.random.default_rng(0).dirichlet(np.ones(ACTIONS), 500)
    weights = policy[np.arange(500), valid.answers.items - 2] / valid.propensity
    measured = goal.measure(valid, np.pad(policy, ((0, 0), (2, 0))))
    assert next(iter(measured)) == "value"
    assert measured["value"] == pytest.approx((weights * valid.labels[:, 0]).sum() / weights.sum())
    assert measured["ips"] == pytest.approx((weights * valid.labels[:, 0]).mean())
    assert not goal.fault(valid)
    nothing = replace(valid, all=replace(valid.all, labels=torch.zeros(500, 1)))
    assert "no decision in valid was rewarded" in goal.fault(nothing)


def test_no_name_is_used_twice() -> None:
    assert len(ALL_MODELS) == len(MODELS) + len(ITEM_MODELS) + len(POLICY_MODELS)
