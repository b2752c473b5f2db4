"""A task whose label is known for a share of rows only: models of several tasks learn it from these, and from nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_rows import PlantedRows, categorical, planted
from torch import nn

from sandboxes.kit import Batch, Schema, Task, observed_bce
from sandboxes.kit.metrics import auc, log_loss
from sandboxes.kit.models import MODELS
from sandboxes.kit.training import TrainConfig, build, fit, predictions

SCHEMA = Schema(categorical("user", "item", "hour"), tasks=(Task("click"), Task("buy", given="click")))
HYPER = {"embedding_dim": 8, "hidden_units": (32,), "tower_units": (16,), "n_experts": 3}
SHARE = 0.3
EVERY_MODEL = pytest.mark.parametrize("name", ["shared_bottom", "mmoe", "esmm"])


def asked(n: int, seed: int, unasked: float = math.nan) -> PlantedRows:
    """Rows of which a share was asked whether they bought; the others say `unasked`."""
    whole = planted(SCHEMA, n, seed).all
    labels = whole.labels.clone()
    labels[np.random.default_rng(seed).random(n) > SHARE, 1] = unasked
    return PlantedRows(replace(whole, labels=labels))


def tower_gradients(model: nn.Module, rows: Batch) -> dict[str, torch.Tensor]:
    """Of the second task's tower alone."""
    model.zero_grad()
    observed_bce(model(rows), rows.labels).backward()
    found = {name: p.grad for name, p in model.named_parameters() if "towers.1." in name}
    assert found and all(g is not None for g in found.values())
    return {name: g.clone() for name, g in found.items()}


@EVERY_MODEL
def test_unobserved_rows_do_not_move_the_tasks_tower(name: str) -> None:
    torch.set_num_threads(1)
    model, rows = build(MODELS[name], SCHEMA, HYPER, seed=0), asked(300, 1).all
    observed = ~torch.isnan(rows.labels[:, 1])
    of_all, of_observed = tower_gradients(model, rows), tower_gradients(model, rows[observed])
    for parameter, gradient in of_all.items():
        torch.testing.assert_close(gradient, of_observed[parameter], msg=parameter)
        assert (gradient != 0).any()
    assert all((g == 0).all() for g in tower_gradients(model, rows[~observed]).values())


@EVERY_MODEL
def test_a_task_is_learned_from_the_rows_that_were_asked(name: str) -> None:
    """Taking an unknown label for a negative would say a third of the chances."""
    torch.set_num_threads(1)
    test = planted(SCHEMA, 2000, 3)
    truth = test.labels[:, 1]
    reached = {}
    for unasked in (math.nan, 0.0):
        model = build(MODELS[name], SCHEMA, HYPER, seed=0)
        train, valid = asked(4000, 1, unasked), asked(600, 2, unasked)
        fit(model, train, valid, TrainConfig(learning_rate=1e-2, batch_size=256, max_epochs=5, patience=5))
        reached[unasked] = predictions(model, test, 2)
    known, wrong = reached.values()
    assert min(auc(test.labels[:, t], known[:, t]) for t in (0, 1)) > 0.78
    assert known[:, 1].mean() == pytest.approx(truth.mean(), rel=0.25)
    assert wrong[:, 1].mean() < 0.5 * truth.mean() and log_loss(truth, known[:, 1]) < log_loss(truth, wrong[:, 1]) - 0.05
