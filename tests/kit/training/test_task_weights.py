"""Weights of tasks' losses: they count where the loss is the kit's, and are refused where it is the model's own."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from planted_rows import SCHEMAS, planted
from torch import Tensor, nn

from sandboxes.kit import Batch, Schema, Stage, observed_bce
from sandboxes.kit.losses import observed_bce_by_task
from sandboxes.kit.models import DNN
from sandboxes.kit.training import TrainConfig, build, fit, predictions

SCHEMA = SCHEMAS["tasks_and_history"]
TASKS = len(SCHEMA.tasks)
CONFIG = TrainConfig(learning_rate=1e-2, batch_size=64, max_epochs=2, patience=2)
TRAIN, VALID = planted(SCHEMA, 300, seed=1), planted(SCHEMA, 100, seed=2)


class OwnLoss(DNN):
    def loss(self, batch: Batch) -> Tensor:
        assert batch.labels is not None
        return observed_bce(self(batch), batch.labels)


class OwnStage(DNN):
    def stages(self) -> list[Stage]:
        return [Stage("first", loss="own", epochs=0.5), Stage("rest")]

    def own(self, batch: Batch) -> Tensor:
        assert batch.labels is not None
        return observed_bce(self(batch), batch.labels)


def trained(config: TrainConfig, kind: type[nn.Module] = DNN, schema: Schema = SCHEMA) -> tuple[nn.Module, np.ndarray]:
    model = build(kind, schema, {"embedding_dim": 4, "hidden_units": (8,)}, seed=0)
    fit(model, planted(schema, 300, seed=1), planted(schema, 100, seed=2), config)
    return model, predictions(model, planted(schema, 100, seed=2), len(schema.tasks))


def test_the_loss_is_the_weighted_sum_over_tasks() -> None:
    logits, labels = torch.randn(6, 3), torch.tensor([[1.0, 0, 1], [0, 1, float("nan")]] * 3)
    first, second, third = observed_bce_by_task(logits, labels)
    assert torch.isclose(observed_bce(logits, labels, (1.0, 0.5, 4.0)), first + 0.5 * second + 4.0 * third)
    assert torch.equal(observed_bce(logits, labels), first + second + third)


def test_equal_weights_change_nothing_and_others_do() -> None:
    assert TASKS > 1
    plain, equal, other = (
        trained(replace(CONFIG, task_weights=w))[1] for w in ((), (1.0,) * TASKS, (1.0,) + (0.1,) * (TASKS - 1))
    )
    assert np.array_equal(plain, equal)
    assert not np.allclose(plain, other)


def test_a_task_of_weight_zero_teaches_nothing() -> None:
    before = build(DNN, SCHEMA, {"embedding_dim": 4, "hidden_units": (8,)}, seed=0).state_dict()["output.weight"]
    after = trained(replace(CONFIG, task_weights=(1.0,) + (0.0,) * (TASKS - 1)))[0].state_dict()["output.weight"]
    assert torch.equal(before[1:], after[1:]) and not torch.equal(before[0], after[0])


@pytest.mark.parametrize("kind", [OwnLoss, OwnStage])
def test_a_model_with_a_loss_of_its_own_refuses_them(kind: type[nn.Module]) -> None:
    trained(CONFIG, kind)
    with pytest.raises(ValueError, match="no loss of their own"):
        trained(replace(CONFIG, task_weights=(1.0,) * TASKS), kind)


def test_as_many_weights_as_tasks() -> None:
    with pytest.raises(ValueError, match=f"1 weights were given for {TASKS} tasks"):
        trained(replace(CONFIG, task_weights=(1.0,)))


@pytest.mark.parametrize("weights", [(-1.0, 1.0), (float("nan"), 1.0), (float("inf"), 1.0), (0.0, 0.0)])
def test_weights_that_make_no_sense_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weights of tasks"):
        TrainConfig(task_weights=weights)


def test_they_come_through_a_jobs_json() -> None:
    config = TrainConfig(task_weights=(1.0, 0.25))
    read: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    assert TrainConfig(**read) == config


def test_hidden_units_come_through_json_as_a_list() -> None:
    one, other = (build(DNN, SCHEMA, {"hidden_units": units}, seed=0) for units in ((8, 4), [8, 4]))
    assert [p.shape for p in one.parameters()] == [p.shape for p in other.parameters()]
