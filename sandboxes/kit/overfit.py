"""The smoke test that a model must be able to remember a few rows: what cannot do that has no way from inputs to outputs.

Notation: B rows, T tasks.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import HasPredict
from sandboxes.kit.layers import LinearTerm
from sandboxes.kit.metrics import auc, log_loss
from sandboxes.kit.off_policy import self_normalised_value, weights_of
from sandboxes.kit.schema import FIRST_ID, Schema
from sandboxes.kit.training.model import every_stage, free, item_scores, loss_of, policy, predict
from sandboxes.kit.training.rows import Rows, spread

OVERFIT_ROWS = 64
OVERFIT_STEPS = 200
OVERFIT_LOOK = 20  # steps between looks
OVERFIT_MARGIN = 0.02  # nats
OVERFIT_SHARE = 0.7  # of the label entropy: 64 remembered rows must bring the log loss below this share
FOUND_SHARE = 0.9  # of 64 remembered rows must have their item among the first
GAIN_SHARE = 0.5  # of what the best fixed action gains over all actions alike, by the rewards of remembered decisions
PREDICT_AUC = 0.6  # of the remembered rows; what is done at prediction, such as leaving fields out, costs something


def overfit(model: nn.Module, schema: Schema, train: Rows) -> str | None:
    """Why the model cannot remember 64 rows of `train`, or None when it can."""
    if schema.predicts == "labels":
        return _labels(model, schema, train)
    return _items(model, train) if schema.predicts == "items" else _actions(model, train)


def _items(model: nn.Module, train: Rows) -> str | None:
    """What is asked of a model that knows no more than which items were taken: that it ranks these before all others."""
    rows = train.batch(spread(np.arange(len(train)), OVERFIT_ROWS))
    assert rows.answer is not None
    optimizer, found = torch.optim.Adam(model.parameters(), lr=1e-2), 0.0
    places = len(set(rows.answer.tolist()))
    for step in range(1, OVERFIT_STEPS + 1):
        _step(model, optimizer, rows)
        if step % OVERFIT_LOOK == 0:
            scores = item_scores(model, rows)[:, FIRST_ID:]
            best = scores.topk(places).indices + FIRST_ID  # (B, places)
            found = (best == rows.answer[:, None]).any(1).float().mean().item()
            if found >= FOUND_SHARE:
                return None
    return f"after {OVERFIT_STEPS} steps {found:.0%} of {len(rows)} rows have their item among the first {places}"


def _actions(model: nn.Module, train: Rows) -> str | None:
    """The bar is a share of what the best fixed action gains on these rows: its value is in reach without any context."""
    rows = _mixed_rows(train)
    if rows is None:
        return None  # all rewarded or none: nothing to overfit, and no fault of the model
    assert rows.labels is not None and rows.answer is not None and rows.propensity is not None
    rewards, actions, propensity = rows.labels.numpy()[:, 0], rows.answer.numpy(), rows.propensity.numpy()
    fixed = [self_normalised_value((actions == a) / propensity, rewards) for a in np.unique(actions)]
    plain = self_normalised_value(1 / propensity, rewards)  # of all actions alike
    bar = plain + GAIN_SHARE * (max(fixed) - plain)
    optimizer, reached = torch.optim.Adam(model.parameters(), lr=1e-2), math.nan
    for step in range(1, OVERFIT_STEPS + 1):
        _step(model, optimizer, rows)
        if step % OVERFIT_LOOK == 0:
            reached = self_normalised_value(weights_of(policy(model, rows).numpy(), actions, propensity), rewards)
            if reached >= bar:
                return None
    return f"after {OVERFIT_STEPS} steps the policy's value on {len(rows)} rows is {reached:.3f}, below {bar:.3f}"


def _labels(model: nn.Module, schema: Schema, train: Rows) -> str | None:
    """The bar is a share of the label entropy; where the rows' features cannot tell them apart so well, what first-order weights
    reach by the same steps. What `predict` makes of the logits may be weaker, but must still tell the classes apart."""
    rows = _mixed_rows(train)
    if rows is None:
        return None  # one class only: nothing to overfit, and no fault of the model
    assert rows.labels is not None
    labels, tasks = rows.labels.numpy()[:, 0], len(schema.tasks)
    rate = labels.mean().item()
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    reached = _remembered(model, rows, bar := OVERFIT_SHARE * entropy)
    if reached > bar and reached > _remembered(LinearTerm(schema, tasks), rows, bar) + OVERFIT_MARGIN:
        return f"after {OVERFIT_STEPS} steps the log loss on {len(rows)} rows is {reached:.3f}, with {entropy:.3f} for a constant"
    return _turned_around(model, rows, tasks) if isinstance(model, HasPredict) else None


def _turned_around(model: nn.Module, rows: Batch, tasks: int) -> str | None:
    """Whether `predict` loses what the logits have learned; that it weakens it is no fault."""
    assert rows.labels is not None
    labels = rows.labels.numpy()[:, 0]
    with torch.no_grad():
        known = auc(labels, model.eval()(rows).reshape(rows.labels.shape).numpy()[:, 0])
    told = auc(labels, predict(model, rows, tasks).numpy()[:, 0])
    lost = told < min(known, PREDICT_AUC)
    return f"`predict` tells {len(rows)} rows apart with an AUC of {told:.3f}, the logits with {known:.3f}" if lost else None


def _remembered(model: nn.Module, rows: Batch, enough: float) -> float:
    """The primary task's log loss on `rows` after training on nothing else, until it is `enough` or the steps are spent."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    assert rows.labels is not None
    labels, reached = rows.labels, math.inf
    for step in range(1, OVERFIT_STEPS + 1):
        _step(model, optimizer, rows)
        if step % OVERFIT_LOOK == 0:
            with torch.no_grad():
                pctr = torch.sigmoid(model.eval()(rows)).reshape(labels.shape)  # (B, T)
            reached = log_loss(labels.numpy()[:, 0], pctr.numpy()[:, 0])
            if reached <= enough:
                break
    return reached


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, rows: Batch) -> None:
    """All stages of a scheme step in turn: the last may be nothing without what the others train."""
    model.train()
    for stage in every_stage(model):
        free(model, stage)
        optimizer.zero_grad()
        loss_of(model, stage, rows).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _mixed_rows(train: Rows) -> Batch | None:
    """64 rows, half positive where possible, with the primary label observed; None when one class is missing."""
    labels = train.labels
    assert labels is not None
    positive, negative = np.flatnonzero(labels[:, 0] == 1), np.flatnonzero(labels[:, 0] == 0)
    if len(positive) == 0 or len(negative) == 0:
        return None
    half = OVERFIT_ROWS // 2
    return train.batch(np.concatenate([spread(positive, half), spread(negative, half)]))
