"""Every reference model that predicts actions, on decisions of every shape: it builds, passes the smoke tests, learns what was
planted, and is the same model when it is served, where it meets no collection."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from planted_decisions import ACTIONS, SCHEMAS, collection, planted

from sandboxes.kit.models import ALL_MODELS, ITEM_MODELS, MODELS, POLICY_MODELS
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


def test_no_name_is_used_twice() -> None:
    assert len(ALL_MODELS) == len(MODELS) + len(ITEM_MODELS) + len(POLICY_MODELS)
