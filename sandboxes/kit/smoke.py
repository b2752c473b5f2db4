"""Cheap tests that a model must pass before it may train (a few hundred rows, a few seconds).

They catch code that is wrong, not models that are weak. Each check is data, so that a report can show it and an engine
can repair from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers import LinearTerm
from sandboxes.kit.metrics import log_loss
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.model import Hyper, build, every_stage, free, loss_of, predict
from sandboxes.kit.training.rows import Rows

ROWS = 256
FEW = 8  # rows of either class of every task that a sample holds beside
OVERFIT_ROWS = 64
OVERFIT_STEPS = 200
OVERFIT_LOOK = 20  # steps between looks
OVERFIT_MARGIN = 0.02  # nats
OVERFIT_SHARE = 0.7  # of the label entropy: 64 remembered rows must bring the log loss below this share
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Check:
    """One smoke test: its name, whether it passed, and what was seen."""

    name: str
    passed: bool
    detail: str = ""


def smoke(model_class: type[nn.Module], schema: Schema, train: Rows, hyper: Hyper, seed: int = 0) -> tuple[list[Check], int]:
    """Runs all checks on a sample of `train`; returns them with the number of parameters (0 if it does not build).

    A check that raises fails with the exception's text; later checks still run where they can.
    """
    rows = train.batch(_sample(train))
    fresh, steady = partial(build, model_class, schema, hyper, seed), {**hyper, "dropout": 0.0}
    try:
        parameters = sum(p.numel() for p in fresh().parameters())
    except Exception as error:  # noqa: BLE001 - the boundary to generated code
        return [Check("builds", False, _said(error))], 0
    checks = [Check("builds", True, f"{parameters:,} parameters")]
    tests: list[tuple[str, Callable[[], str | None]]] = [
        ("forward gives finite logits (B, T)", lambda: _forward(fresh(), schema, rows)),
        ("a batch of one works", lambda: _batch_of_one(fresh(), schema, rows)),
        ("permuted rows give permuted predictions", lambda: _permutation(fresh(), schema, rows)),
        ("the gradient reaches every parameter", lambda: _gradient(fresh(), _every_scenario(rows, schema))),
        ("the same seed gives the same loss", lambda: _same_seed(fresh, rows, seed)),
        ("predictions are not constant", lambda: _not_constant(fresh(), schema, rows)),
        ("64 rows can be overfitted", lambda: _overfit(build(model_class, schema, steady, seed), schema, train)),
    ]
    for name, test in tests:
        try:
            fault = test()
        except Exception as error:  # noqa: BLE001 - the boundary to generated code
            fault = _said(error)
        checks.append(Check(name, fault is None, fault or ""))
    return checks, parameters


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _forward(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    logits, tasks = model.eval()(rows), len(schema.tasks)
    wanted = {(len(rows), tasks)} | ({(len(rows),)} if tasks == 1 else set())
    if tuple(logits.shape) not in wanted:
        return f"forward gave shape {tuple(logits.shape)} for {len(rows)} rows and {tasks} task(s)"
    if not torch.isfinite(logits).all():
        return "forward gave NaN or infinite logits on unscaled training rows"
    probabilities = predict(model, rows, tasks)
    return None if ((probabilities >= 0) & (probabilities <= 1)).all() else "predictions lie outside [0, 1]"


def _batch_of_one(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    tasks = len(schema.tasks)
    alone, together = predict(model, rows[:1], tasks), predict(model, rows, tasks)[:1]
    gap = (alone - together).abs().max().item()
    return None if gap < TOLERANCE else f"a row alone and in a batch differ by {gap:.2g}"


def _permutation(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    tasks, order = len(schema.tasks), torch.arange(len(rows)).flip(0)
    gap = (predict(model, rows[order], tasks) - predict(model, rows, tasks)[order]).abs().max().item()
    return None if gap < TOLERANCE else f"predictions depend on the order of rows (by {gap:.2g})"


def _gradient(model: nn.Module, rows: Batch) -> str | None:
    """Three small steps on the losses of all stages: gates that start at zero open up after the first."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    waiting = {name for name, p in model.named_parameters() if p.requires_grad}
    model.train()
    for _ in range(3):
        for stage in every_stage(model):  # one by one: losses that work against each other cancel out in a sum
            optimizer.zero_grad()
            loss_of(model, stage, rows).backward()  # type: ignore[no-untyped-call]
            waiting -= {name for name, p in model.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}
            optimizer.step()
    return f"no gradient reaches {', '.join(sorted(waiting))}" if waiting else None


def _same_seed(fresh: Callable[[], nn.Module], rows: Batch, seed: int) -> str | None:
    losses = []
    for _ in range(2):
        model = fresh().train()
        torch.manual_seed(seed)
        losses.append([loss_of(model, stage, rows).item() for stage in every_stage(model)])
    return None if losses[0] == losses[1] else f"two builds from one seed gave losses {losses[0]} and {losses[1]}"


def _not_constant(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    spread = predict(model, rows, len(schema.tasks))[:, 0].std().item()
    return None if spread > 1e-7 else "an untrained model predicts the same for every row"


def _overfit(model: nn.Module, schema: Schema, train: Rows) -> str | None:
    """The bar is a share of the label entropy; where the rows' features cannot tell them apart so well, what first-order weights
    reach by the same steps."""
    rows = _mixed_rows(train)
    if rows is None:
        return None  # one class only: nothing to overfit, and no fault of the model
    assert rows.labels is not None
    rate = rows.labels[:, 0].mean().item()
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    reached = _remembered(model, rows, bar := OVERFIT_SHARE * entropy)
    if reached <= bar or reached <= _remembered(LinearTerm(schema, len(schema.tasks)), rows, bar) + OVERFIT_MARGIN:
        return None
    return f"after {OVERFIT_STEPS} steps the log loss on {len(rows)} rows is {reached:.3f}, with {entropy:.3f} for a constant"


def _remembered(model: nn.Module, rows: Batch, enough: float) -> float:
    """The primary task's log loss on `rows` after training on nothing else, until it is `enough` or the steps are spent.

    All stages of a scheme step in turn: the last may be nothing without what the others train.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    assert rows.labels is not None
    labels, reached = rows.labels.numpy(), math.inf
    for step in range(1, OVERFIT_STEPS + 1):
        model.train()
        for stage in every_stage(model):
            free(model, stage)
            optimizer.zero_grad()
            loss_of(model, stage, rows).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if step % OVERFIT_LOOK == 0:
            reached = log_loss(labels[:, 0], predict(model, rows, labels.shape[1]).numpy()[:, 0])
            if reached <= enough:
                break
    return reached


def _sample(train: Rows) -> NDArray[np.int64]:
    """Rows from all over the split, with a few of either class of every task: the first rows of a log have empty histories."""
    labels = train.labels
    assert labels is not None
    few = [_spread(np.flatnonzero(labels[:, t] == y), FEW) for t in range(labels.shape[1]) for y in (0, 1)]
    return np.unique(np.concatenate([_spread(np.arange(len(train)), ROWS), *few]))


def _mixed_rows(train: Rows) -> Batch | None:
    """64 rows, half positive where possible, with the primary label observed; None when one class is missing."""
    labels = train.labels
    assert labels is not None
    positive, negative = np.flatnonzero(labels[:, 0] == 1), np.flatnonzero(labels[:, 0] == 0)
    if len(positive) == 0 or len(negative) == 0:
        return None
    half = OVERFIT_ROWS // 2
    return train.batch(np.concatenate([_spread(positive, half), _spread(negative, half)]))


def _spread(rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """At most `n` of `rows`, evenly spaced."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(np.int64)]


def _every_scenario(rows: Batch, schema: Schema) -> Batch:
    """The rows as if every scenario id occurred, padding and unknown too: a scenario's own parameters have no other gradient."""
    if schema.scenario is None:
        return rows
    column = schema.index_of(schema.scenario)
    ids = rows.ids.clone()
    ids[:, column] = torch.arange(len(rows)) % schema.categorical[column].cardinality
    return replace(rows, ids=ids)
