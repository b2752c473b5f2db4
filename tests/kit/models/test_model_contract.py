"""Every reference model on data of every shape: it builds, passes the smoke tests, and learns what was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, planted

from sandboxes.kit.metrics import auc
from sandboxes.kit.models import MODELS
from sandboxes.kit.smoke import smoke
from sandboxes.kit.training import TrainConfig, build, fit, predictions

HYPER = {"embedding_dim": 8, "dropout": 0.1, "hidden_units": (32, 32), "tower_units": (32, 16), "n_experts": 3}
CASES = [(model, shape) for model in MODELS for shape in SCHEMAS]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_gives_a_logit_for_every_row_and_task(model: str, shape: str) -> None:
    schema = SCHEMAS[shape]
    rows = planted(schema, 33).all
    logits = build(MODELS[model], schema, HYPER, seed=0)(rows)
    assert logits.shape == (33, len(schema.tasks))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_passes_every_smoke_test(model: str, shape: str) -> None:
    checks, parameters = smoke(MODELS[model], SCHEMAS[shape], planted(SCHEMAS[shape], 1000), HYPER)
    assert parameters > 0
    assert [f"{c.name}: {c.detail}" for c in checks if not c.passed] == []


@pytest.mark.parametrize(("model", "shape"), CASES)
def test_learns_what_was_planted(model: str, shape: str) -> None:
    """Alone, the first fields say little: only a model of their interaction passes the higher bar."""
    schema = SCHEMAS[shape]
    train, valid, test = (planted(schema, n, seed) for seed, n in ((1, 3000), (2, 500), (3, 2000)))
    config = TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=8, patience=2)
    fitted = build(MODELS[model], schema, HYPER, seed=0)
    fit(fitted, train, valid, config)
    assert train.labels is not None and test.labels is not None
    pctr = predictions(fitted, test, len(schema.tasks))
    if model == "lr" and shape != "one_field":
        assert 0.55 < auc(test.labels[:, 0], pctr[:, 0]) < 0.75
        return
    for t in range(len(schema.tasks)):
        assert auc(test.labels[:, t], pctr[:, t]) > 0.78


@pytest.mark.parametrize("model", MODELS)
def test_a_history_is_used(model: str) -> None:
    """The same rows with another history get other predictions, and padding alone changes nothing."""
    schema = SCHEMAS["history"]
    rows, built = planted(schema, 200).all, build(MODELS[model], schema, HYPER, seed=0).eval()
    before = built(rows)
    rows.history["seen"] = rows.history["seen"].flip(0)
    assert not torch.equal(built(rows), before)


@pytest.mark.parametrize("model", MODELS)
def test_vectors_are_used(model: str) -> None:
    """Other vectors of the rows' own values, and where a model reads histories, of their entries, give other predictions."""
    schema = SCHEMAS["vectors"]
    rows, built = planted(schema, 200).all, build(MODELS[model], schema, HYPER, seed=0).eval()
    before = built(rows)
    changed = replace(rows, vector_rows={name: own.flip(0) for name, own in rows.vector_rows.items()})
    assert not torch.equal(built(changed), before)
    assert torch.equal(built(rows), before)


def test_the_names_are_what_users_type() -> None:
    assert list(MODELS) == [name.lower() for name in MODELS]
    assert np.all([isinstance(m, type) for m in MODELS.values()])
