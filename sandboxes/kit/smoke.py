"""Cheap tests that a model must pass before it may train (a few hundred rows, a few seconds).

They catch code that is wrong, not models that are weak. Each check is data, so that a report can show it and an engine
can repair from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.overfit import overfit
from sandboxes.kit.schema import FIRST_ID, Schema
from sandboxes.kit.training.model import Hyper, build, every_stage, item_scores, loss_of, policy, predict, survey
from sandboxes.kit.training.rows import Rows, spread

ROWS = 256
FEW = 8  # rows of either class of every task that a sample holds beside
STARTS = 3  # seeds from which a gradient may reach a parameter
TOLERANCE = 1e-4
_FORWARD = {
    "labels": "forward gives finite logits (B, T)",
    "items": "forward gives finite scores (B, I)",
    "actions": "forward gives finite scores (B, I), predictions are policies",
}

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

    def start(seed: int, hyper: Hyper = hyper) -> nn.Module:
        model = build(model_class, schema, hyper, seed, collection=collection)
        survey(model, train, ROWS)
        return model

    fresh = partial(start, seed)
    steady = partial(start, seed, {**hyper, "dropout": 0.0})
    try:
        parameters = sum(p.numel() for p in fresh().parameters())
    except Exception as error:  # noqa: BLE001 - the boundary to generated code
        return [Check("builds", False, _said(error))], 0
    checks = [Check("builds", True, f"{parameters:,} parameters")]
    rows = train.batch(_sample(train))
    says = _says(schema)
    tests: list[tuple[str, Callable[[], str | None]]] = [
        (_FORWARD[schema.predicts], lambda: _forward(fresh(), schema, rows)),
        ("a batch of one works", lambda: _batch_of_one(fresh(), says, rows)),
        ("permuted rows give permuted predictions", lambda: _permutation(fresh(), says, rows)),
        ("the gradient reaches every parameter", lambda: _gradient(start, seed, _every_scenario(rows, schema))),
        ("the same seed gives the same loss", lambda: _same_seed(fresh, rows, seed)),
        ("predictions are not constant", lambda: _not_constant(fresh(), schema, rows)),
        ("64 rows can be overfitted", lambda: overfit(steady(), schema, train)),
    ]
    for name, test in tests:
        try:
            fault = test()
        except Exception as error:  # noqa: BLE001 - the boundary to generated code
            fault = _said(error)
        checks.append(Check(name, fault is None, fault or ""))
    return checks, parameters


def _says(schema: Schema) -> Says:
    """What a model says of rows, on a scale where small differences matter alike."""
    if schema.predicts == "labels":
        return partial(predict, n_tasks=len(schema.tasks))
    return item_scores if schema.predicts == "items" else lambda model, rows: policy(model, rows).log()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _forward(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    logits, tasks = model.eval()(rows), len(schema.tasks)
    if schema.scores_items:
        if tuple(logits.shape) != (len(rows), schema.n_items):
            return f"forward gave shape {tuple(logits.shape)} for {len(rows)} rows and {schema.n_items} {schema.predicts}"
        if not torch.isfinite(logits).all():
            return "forward gave NaN or infinite scores on training rows"
        return _no_policy(policy(model, rows), logits.shape) if schema.predicts == "actions" else None
    wanted = {(len(rows), tasks)} | ({(len(rows),)} if tasks == 1 else set())
    if tuple(logits.shape) not in wanted:
        return f"forward gave shape {tuple(logits.shape)} for {len(rows)} rows and {tasks} task(s)"
    if not torch.isfinite(logits).all():
        return "forward gave NaN or infinite logits on unscaled training rows"
    probabilities = predict(model, rows, tasks)
    return None if ((probabilities >= 0) & (probabilities <= 1)).all() else "predictions lie outside [0, 1]"


def _no_policy(probabilities: Tensor, shape: torch.Size) -> str | None:
    if probabilities.shape != shape:
        return f"`predict` gave shape {tuple(probabilities.shape)}, not {tuple(shape)}"
    if not ((probabilities >= 0) & torch.isfinite(probabilities)).all():
        return "`predict` gave probabilities that are negative, NaN or infinite"
    if (probabilities[:, :FIRST_ID] != 0).any():
        return "`predict` gave the ids of padding and of the unknown action, 0 and 1, a probability"
    off = (probabilities.sum(1) - 1).abs().max().item()
    return None if off < TOLERANCE else f"the probabilities of a row do not add up to 1 (off by {off:.2g})"


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


def _gradient(start: Callable[[int], nn.Module], seed: int, rows: Batch) -> str | None:
    """A narrow layer may start with all its ReLUs off; what no gradient reaches from several starts has no way to the loss."""
    waiting = _unreached(start(seed), rows)
    for another in range(seed + 1, seed + STARTS):
        if not waiting:
            return None
        waiting &= _unreached(start(another), rows)
    return f"no gradient reaches {', '.join(sorted(waiting))}" if waiting else None


def _unreached(model: nn.Module, rows: Batch) -> set[str]:
    """Parameters left after three small steps on the losses of all stages: gates that start at zero open up after the first."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    waiting = {name for name, p in model.named_parameters() if p.requires_grad}
    model.train()
    for _ in range(3):
        for stage in every_stage(model):  # one by one: losses that work against each other cancel out in a sum
            optimizer.zero_grad()
            loss_of(model, stage, rows).backward()  # type: ignore[no-untyped-call]
            waiting -= {name for name, p in model.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}
            optimizer.step()
    return waiting


def _same_seed(fresh: Callable[[], nn.Module], rows: Batch, seed: int) -> str | None:
    losses = []
    for _ in range(2):
        model = fresh().train()
        torch.manual_seed(seed)
        losses.append([loss_of(model, stage, rows).item() for stage in every_stage(model)])
    return None if losses[0] == losses[1] else f"two builds from one seed gave losses {losses[0]} and {losses[1]}"


def _not_constant(model: nn.Module, schema: Schema, rows: Batch) -> str | None:
    if schema.scores_items:
        spread = _says(schema)(model, rows)[0, FIRST_ID:].nan_to_num(neginf=0.0).std().item()
        return None if spread > 1e-7 else f"an untrained model gives all {schema.predicts} the same score"
    spread = predict(model, rows, len(schema.tasks))[:, 0].std().item()
    return None if spread > 1e-7 else "an untrained model predicts the same for every row"


def _sample(train: Rows) -> NDArray[np.int64]:
    """Rows from all over the split, with a few of either class of every task: the first rows of a log have empty histories."""
    labels = train.labels
    if labels is None:
        return spread(np.arange(len(train)), ROWS)
    few = [spread(np.flatnonzero(labels[:, t] == y), FEW) for t in range(labels.shape[1]) for y in (0, 1)]
    return np.unique(np.concatenate([spread(np.arange(len(train)), ROWS), *few]))


def _every_scenario(rows: Batch, schema: Schema) -> Batch:
    """The rows as if every scenario id occurred, padding and unknown too: a scenario's own parameters have no other gradient."""
    if schema.scenario is None:
        return rows
    column = schema.index_of(schema.scenario)
    ids = rows.ids.clone()
    ids[:, column] = torch.arange(len(rows)) % schema.categorical[column].cardinality
    return replace(rows, ids=ids)
