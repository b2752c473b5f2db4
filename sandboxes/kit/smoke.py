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
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.layers import LinearTerm
from sandboxes.kit.losses import FIRST_ITEM
from sandboxes.kit.metrics import log_loss
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.model import Hyper, build, item_scores, loss_of, predict, stages_of
from sandboxes.kit.training.rows import Rows

ROWS = 256
FEW = 8  # rows of either class of every task that a sample holds beside
OVERFIT_ROWS = 64
OVERFIT_STEPS = 200
OVERFIT_LOOK = 20  # steps between looks
OVERFIT_MARGIN = 0.02  # nats
OVERFIT_SHARE = 0.7  # of the label entropy: 64 remembered rows must bring the log loss below this share
FOUND_SHARE = 0.9  # of 64 remembered rows must have their item among the first
TOLERANCE = 1e-4
_FORWARD = {"labels": "forward gives finite logits (B, T)", "items": "forward gives finite scores (B, I)"}

Says = Callable[[nn.Module, Batch], Tensor]  # a model's predictions for rows


@dataclass(frozen=True)
class Check:
    """One smoke test: its name, whether it passed, and what was seen."""

    name: str
    passed: bool
    detail: str = ""


def smoke(
    model_class: type[nn.Module],
    schema: Schema,
    train: Rows,
    hyper: Hyper,
    seed: int = 0,
    collection: Collection | None = None,
) -> tuple[list[Check], int]:
    """Runs all checks on a sample of `train`; returns them with the number of parameters (0 if it does not build).

    A check that raises fails with the exception's text; later checks still run where they can.
    """
    fresh = partial(build, model_class, schema, hyper, seed, collection=collection)
    steady = partial(build, model_class, schema, {**hyper, "dropout": 0.0}, seed, collection=collection)
    try:
        parameters = sum(p.numel() for p in fresh().parameters())
    except Exception as error:  # noqa: BLE001 - the boundary to generated code
        return [Check("builds", False, _said(error))], 0
    checks = [Check("builds", True, f"{parameters:,} parameters")]
    rows = train.batch(_sample(train))
    says: Says = item_scores if schema.predicts == "items" else partial(predict, n_tasks=len(schema.tasks))
    tests: list[tuple[str, Callable[[], str | None]]] = [
        (_FORWARD[schema.predicts], lambda: _forward(fresh(), schema, rows)),
        ("a batch of one works", lambda: _batch_of_one(fresh(), says, rows)),
        ("permuted rows give permuted predictions", lambda: _permutation(fresh(), says, rows)),
        ("the gradient reaches every parameter", lambda: _gradient(fresh(), _every_scenario(rows, schema))),
        ("the same seed gives the same loss", lambda: _same_seed(fresh, rows, seed)),
        ("predictions are not constant", lambda: _not_constant(fresh(), schema, rows)),
        ("64 rows can be overfitted", lambda: _overfit(steady(), schema, train)),
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
    if schema.predicts == "items":
        if tuple(logits.shape) != (len(rows), schema.n_items):
            return f"forward gave shape {tuple(logits.shape)} for {len(rows)} rows and {schema.n_items} items"
        return None if torch.isfinite(logits).all() else "forward gave NaN or infinite scores on training rows"
    wanted = {(len(rows), tasks)} | ({(len(rows),)} if tasks == 1 else set())
    if tuple(logits.shape) not in wanted:
        return f"forward gave shape {tuple(logits.shape)} for {len(rows)} rows and {tasks} task(s)"
    if not torch.isfinite(logits).all():
        return "forward gave NaN or infinite logits on unscaled training rows"
    probabilities = predict(model, rows, tasks)
    return None if ((probabilities >= 0) & (probabilities <= 1)).all() else "predictions lie outside [0, 1]"


def _batch_of_one(model: nn.Module, says: Says, rows: Batch) -> str | None:
    gap = _gap(says(model, rows[:1]), says(model, rows)[:1])
    return None if gap < TOLERANCE else f"a row alone and in a batch differ by {gap:.2g}"


def _permutation(model: nn.Module, says: Says, rows: Batch) -> str | None:
    order = torch.arange(len(rows)).flip(0)
    gap = _gap(says(model, rows[order]), says(model, rows)[order])
    return None if gap < TOLERANCE else f"predictions depend on the order of rows (by {gap:.2g})"


def _gap(some: Tensor, others: Tensor) -> float:
    """The largest difference; items that neither recommends do not differ."""
    return torch.where(some == others, 0.0, some - others).abs().max().item()


def _gradient(model: nn.Module, rows: Batch) -> str | None:
    """Three small steps on the losses of all stages: gates that start at zero open up after the first."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    waiting = {name for name, p in model.named_parameters() if p.requires_grad}
    model.train()
    for _ in range(3):
        optimizer.zero_grad()
        torch.stack([loss_of(model, stage, rows) for stage in stages_of(model)]).sum().backward()  # type: ignore[no-untyped-call]
        waiting -= {name for name, p in model.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}
        optimizer.step()
    return f"no gradient reaches {', '.join(sorted(waiting))}" if waiting else None


def _same_seed(fresh: Callable[[], nn.Module], rows: Batch, seed: int) -> str | None:
    losses = []
    for _ in range(2):
        model = fresh().train()
        torch.manual_seed(seed)
        losses.append([loss_of(model, stage, rows).item() for stage in stages_of(model)])
    return None if losses[0] == losses[1] else f"two builds from one seed gave losses {losses[0]} and {losses[1]}"


def _not_constant(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    if schema.predicts == "items":
        spread = item_scores(model, rows)[0, FIRST_ITEM:].nan_to_num(neginf=0.0).std().item()
        return None if spread > 1e-7 else "an untrained model gives all items the same score"
    spread = predict(model, rows, len(schema.tasks))[:, 0].std().item()
    return None if spread > 1e-7 else "an untrained model predicts the same for every row"


def _overfit(model: nn.Module, schema: Schema, train: Rows) -> str | None:
    return _overfit_items(model, train) if schema.predicts == "items" else _overfit_labels(model, schema, train)


def _overfit_items(model: nn.Module, train: Rows) -> str | None:
    """What is asked of a model that knows no more than which items were taken: that it ranks these before all others."""
    rows = train.batch(_spread(np.arange(len(train)), OVERFIT_ROWS))
    assert rows.answer is not None
    optimizer, final, found = torch.optim.Adam(model.parameters(), lr=1e-2), stages_of(model)[-1], 0.0
    places = len(set(rows.answer.tolist()))
    for step in range(1, OVERFIT_STEPS + 1):
        model.train()
        optimizer.zero_grad()
        loss_of(model, final, rows).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % OVERFIT_LOOK == 0:
            scores = item_scores(model, rows)[:, FIRST_ITEM:]
            best = scores.topk(places).indices + FIRST_ITEM  # (B, places)
            found = (best == rows.answer[:, None]).any(1).float().mean().item()
            if found >= FOUND_SHARE:
                return None
    return f"after {OVERFIT_STEPS} steps {found:.0%} of {len(rows)} rows have their item among the first {places}"


def _overfit_labels(model: nn.Module, schema: Schema, train: Rows) -> str | None:
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
    """The primary task's log loss on `rows` after training on nothing else, until it is `enough` or the steps are spent."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    final = stages_of(model)[-1]
    assert rows.labels is not None
    labels, reached = rows.labels.numpy(), math.inf
    for step in range(1, OVERFIT_STEPS + 1):
        model.train()
        optimizer.zero_grad()
        loss_of(model, final, rows).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % OVERFIT_LOOK == 0:
            reached = log_loss(labels[:, 0], predict(model, rows, labels.shape[1]).numpy()[:, 0])
            if reached <= enough:
                break
    return reached


def _sample(train: Rows) -> NDArray[np.int64]:
    """Rows from all over the split, with a few of either class of every task: the first rows of a log have empty histories."""
    labels = train.labels
    if labels is None:
        return _spread(np.arange(len(train)), ROWS)
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
