"""Builds a model from a class and asks it for losses and predictions, filling in what it leaves to the kit.

Notation: B rows, T tasks, I ids of the target item.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.contract import HasLoss, HasPredict, HasStages, KnowsCollection, Stage, SurveysRows
from sandboxes.kit.losses import observed_bce, softmax_over_items
from sandboxes.kit.policy_losses import inverse_propensity_loss, softmax_policy
from sandboxes.kit.schema import Schema
from sandboxes.kit.team import ALONE, Team, building_for
from sandboxes.kit.training.rows import Rows, spread

Hyper = Mapping[str, int | float | Sequence[int]]

SURVEYED = 1 << 18  # rows


def build(
    model_class: type[nn.Module],
    schema: Schema,
    hyper: Hyper,
    seed: int,
    team: Team = ALONE,
    collection: Collection | None = None,
) -> nn.Module:
    """`model_class(schema, ...)` with those of `hyper` that its constructor names, initialised from `seed`.

    A model that asks for the `collection` of items meets it. Each member of a team builds its own: tables are shared out by rows,
    all else is the same everywhere.
    """
    accepted = inspect.signature(model_class.__init__).parameters
    torch.manual_seed(seed)
    with building_for(team):
        model = model_class(schema, **{name: value for name, value in hyper.items() if name in accepted})
    if collection is not None and isinstance(model, KnowsCollection):
        model.meet(collection)
    return model


def survey(model: nn.Module, train: Rows, most: int = SURVEYED) -> None:
    """Shows those modules of a model that ask for it what `train` holds: at most `most` rows from all over it."""
    surveyors = [m for m in model.modules() if isinstance(m, SurveysRows)]
    if surveyors:
        rows = train.batch(spread(np.arange(len(train)), most))
        for surveyor in surveyors:
            surveyor.survey(rows)


def stages_of(model: nn.Module) -> Sequence[Stage]:
    """The model's training scheme; one plain stage when it names none."""
    return tuple(model.stages()) if isinstance(model, HasStages) else (Stage("train"),)


def every_stage(model: nn.Module) -> Sequence[Stage]:
    """The stages with those beside them, in the order of their steps."""
    return tuple(one for stage in stages_of(model) for one in (*stage.beside, stage))


def free(model: nn.Module, stage: Stage) -> None:
    """Lets gradients reach the parameters that `stage` trains, and no others."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not any(name.startswith(prefix) for prefix in stage.freeze))


def loss_of(model: nn.Module, stage: Stage, batch: Batch, task_weights: Sequence[float] = ()) -> Tensor:
    """The scalar that `stage` minimises on `batch`. The weights are of labels' losses where the model has none of its own."""
    if has_plain_loss(model, stage):
        if batch.propensity is not None:
            return inverse_propensity_loss(model(batch), batch)
        if batch.answer is not None:
            return softmax_over_items(model(batch), batch.answer)
        assert batch.labels is not None
        return observed_bce(model(batch), batch.labels, task_weights)
    loss: Tensor = getattr(model, stage.loss)(batch)
    return loss


def weights_fault(model: nn.Module, stages: Sequence[Stage], n_tasks: int, task_weights: Sequence[float]) -> str:
    """Why the model cannot be trained by these weights of tasks, "" where it can."""
    if not task_weights:
        return ""
    if not all(has_plain_loss(model, stage) for stage in stages):
        return "weights of tasks are for models that have no loss of their own"
    return "" if len(task_weights) == n_tasks else f"{len(task_weights)} weights were given for {n_tasks} tasks"


def has_plain_loss(model: nn.Module, stage: Stage) -> bool:
    """Whether the stage minimises what the kit does, since the model has no loss of its own."""
    return stage.loss == "loss" and not isinstance(model, HasLoss)


@torch.no_grad()
def predict(model: nn.Module, batch: Batch, n_tasks: int) -> Tensor:
    """Probabilities (B, T) for the rows of `batch`, in evaluation mode."""
    model.eval()
    probabilities = model.predict(batch) if isinstance(model, HasPredict) else torch.sigmoid(model(batch))
    return probabilities.reshape(len(batch), n_tasks).float()


@torch.no_grad()
def item_scores(model: nn.Module, batch: Batch) -> Tensor:
    """Scores (B, I) of all items for the queries of `batch`, in evaluation mode."""
    model.eval()
    scores: Tensor = model.predict(batch) if isinstance(model, HasPredict) else model(batch)
    return scores.float()


@torch.no_grad()
def policy(model: nn.Module, batch: Batch) -> Tensor:
    """Probabilities (B, I) of all actions in the contexts of `batch`, in evaluation mode."""
    model.eval()
    probabilities: Tensor = model.predict(batch) if isinstance(model, HasPredict) else softmax_policy(model(batch))
    return probabilities.float()


def is_table(name: str) -> bool:
    """Whether the parameter `name` is an embedding table (the kit calls them so), which L2 and lazy updates are for."""
    return any("table" in part for part in name.split("."))
