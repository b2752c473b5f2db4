"""Trains one model on one prepared data set: stages, early stopping, best weights.

The order of rows comes from a generator of its own, so that model code that reseeds torch cannot change it. Members of a team
draw the same order and evaluate alike, so that all stop at the same epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from sandboxes.kit.contract import Stage
from sandboxes.kit.team import ALONE, Team
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.device import brought, placed
from sandboxes.kit.training.goal import Goal, Labels
from sandboxes.kit.training.model import every_stage, stages_of, survey, weights_fault
from sandboxes.kit.training.order import shared_out, shuffled
from sandboxes.kit.training.parallel import average_statistics
from sandboxes.kit.training.rows import Rows
from sandboxes.kit.training.spans import drawn, rows_of
from sandboxes.kit.training.turns import StageSteps

TICK_S = 0.5  # at most this often a progress event within an epoch
SEEDS_APART = 1_000_003  # of what members of a team draw while training


class TrainingDiverged(ArithmeticError):
    """The loss became NaN or infinite: the model's or its learning rate's fault; the same settings will fail again."""


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to. `stage` is the scheme's stage, `epoch` counts over all stages from 1.

    `valid` maps metrics to their values on valid; the first is the one that training is stopped by.
    """

    epoch: int
    stage: str
    train_loss: float
    valid: dict[str, float]
    seconds: float

    @property
    def score(self) -> float:
        """What early stopping watches; more is better."""
        return next(iter(self.valid.values()))


@dataclass
class Fitted:
    """The best epoch's weights (by the goal's first metric on valid) and the way there; of tables, a team member's own rows."""

    state: dict[str, Tensor]
    epochs: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = 0
    samples_per_s: float = 0.0


Emit = Callable[[dict[str, object]], None]
Losses = Callable[[torch.Generator], Iterator[tuple[Tensor, int]]]  # of one epoch's batches, with their rows


def fit(
    model: nn.Module,
    train: Rows,
    valid: Rows,
    config: TrainConfig,
    emit: Emit = lambda event: None,
    device: str = "cpu",
    team: Team = ALONE,
    goal: Goal | None = None,
) -> Fitted:
    """Trains `model` in place and leaves it with its best weights. Raises `TrainingDiverged`, and `ValueError` when no epoch can
    be told from another by `valid`. Without a `goal` it predicts the labels.

    Every member of a `team` calls it with its model, built for that team, and the same rows and settings; `batch_size` is that
    of all members together.
    """
    goal = goal or Labels(0 if valid.labels is None else valid.labels.shape[1])
    if fault := goal.fault(valid):
        raise ValueError(fault)
    n_tasks = 0 if valid.labels is None else valid.labels.shape[1]
    if fault := weights_fault(model, every_stage(model), n_tasks, config.task_weights):
        raise ValueError(fault)
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed + SEEDS_APART * team.rank)  # dropout too depends on the seed alone, whatever was drawn before
    survey(model, train)
    model.to(device)
    train = placed(train, device)
    order = torch.Generator().manual_seed(config.seed)
    fitted, rows_seen, started = Fitted(state=_copy(model)), 0, time.monotonic()
    stages = stages_of(model)
    for number, stage in enumerate(stages, start=1):
        last = number == len(stages)
        best, waited = -math.inf, 0
        epochs = max(1, round(stage.epochs * config.max_epochs))
        own = drawn(rows_of(stage, train), config.share, config.seed)
        with StageSteps(model, stage, config, team, epochs * -(-len(own) // config.batch_size)) as steps:
            losses = _losses(steps, own, config, device, team)
            for _ in range(epochs):
                began, epoch = time.monotonic(), len(fitted.epochs) + 1
                loss = _epoch(model, losses(order), len(own), emit, epoch, device, team)
                steps.settle()
                average_statistics(model, team)
                rows_seen += len(own)
                record = _evaluated(model, valid, stage, epoch, loss, began, goal, device, team)
                fitted.epochs.append(record)
                emit({"event": "epoch", **asdict(record)})
                if not last:
                    continue
                if record.score > best:
                    best, waited, fitted.best_epoch, fitted.state = record.score, 0, record.epoch, _copy(model)
                else:
                    waited += 1
                    if waited >= config.patience:
                        break
    model.load_state_dict(fitted.state)
    fitted.samples_per_s = rows_seen / max(time.monotonic() - started, 1e-9)
    return fitted


def _losses(steps: StageSteps, train: Rows, config: TrainConfig, device: str, team: Team) -> Losses:
    """Takes the steps of an epoch as they are asked for. A member of a team tells what it adds to the losses."""
    if team.size > 1:
        return lambda order: (
            (steps.take_step(part.to(device)), part.rows) for part in shared_out(train, config.batch_size, order, team)
        )
    return lambda order: (
        (steps.take_step(batch), len(batch)) for batch in brought(shuffled(train, config.batch_size, order), device)
    )


def _epoch(
    model: nn.Module, losses: Iterator[tuple[Tensor, int]], n_rows: int, emit: Emit, number: int, device: str, team: Team
) -> float:
    """One pass over the training rows; returns the mean loss per batch."""
    model.train()
    total, batches, seen, ticked, began = torch.zeros((), device=device), 0, 0, 0.0, time.monotonic()
    for loss, rows in losses:
        total, batches, seen = total + loss, batches + 1, seen + rows
        passed = time.monotonic() - began
        if passed - ticked > TICK_S:
            ticked = passed
            emit({"event": "step", "epoch": number, "rows": seen, "of": n_rows, "rate": round(seen / passed)})
    mean = team.sum(total).item() / batches
    if not math.isfinite(mean):
        raise TrainingDiverged(f"the training loss of epoch {number} is {mean}; lower the learning rate or check the loss")
    return mean


def _evaluated(
    model: nn.Module, valid: Rows, stage: Stage, number: int, loss: float, began: float, goal: Goal, device: str, team: Team
) -> EpochRecord:
    predicted = goal.predict(model, valid, device, team)
    if not np.isfinite(predicted).all():
        raise TrainingDiverged(f"the predictions after epoch {number} are not finite")
    return EpochRecord(
        epoch=number,
        stage=stage.name,
        train_loss=loss,
        valid=goal.measure(valid, predicted),
        seconds=time.monotonic() - began,
    )


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
