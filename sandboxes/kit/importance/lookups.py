"""What a model looks up while it reads a batch: the place where every model turns categories into numbers that have gradients.

A lookup is a call of any embedding table of the model, or of a table of vectors made elsewhere; they are numbered in the order in
which one pass makes them. Notation: B rows, P places of a lookup (such as fields, or entries of a history), D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import HasPredict
from sandboxes.kit.layers.table import Table
from sandboxes.kit.metrics import CLIP
from sandboxes.kit.vector_table import VectorTable

Change = Callable[[int, Tensor], Tensor]  # what the model is to see instead of the lookup of that number


def task_logits(model: nn.Module, batch: Batch, task: int, change: Change | None = None) -> Tensor:
    """The logits (B,) of one task, with every lookup changed. They have gradients where the model's predictions do."""
    seen = _Numbered(change)
    with _intercepted(model, seen):
        watched = replace(batch, tables={name: _Watched(table, seen) for name, table in batch.tables.items()})
        if isinstance(model, HasPredict):
            return torch.logit(model.predict(watched).reshape(len(batch), -1)[:, task].clamp(CLIP, 1 - CLIP))
        logits: Tensor = model(watched).reshape(len(batch), -1)[:, task]
        return logits


def recorded(model: nn.Module, batch: Batch, task: int) -> tuple[Tensor, list[Tensor]]:
    """The same, unchanged, and the lookups."""
    found: list[Tensor] = []

    def keep(number: int, lookup: Tensor) -> Tensor:
        found.append(lookup)
        return lookup

    return task_logits(model, batch, task, keep), found


class _Numbered:
    """Counts lookups, and changes them. Of a lookup within a lookup, only the outer one counts."""

    def __init__(self, change: Change | None) -> None:
        self._change, self._number, self._within = change, 0, False

    def __call__(self, look_up: Callable[..., Tensor], *asked: Tensor | int) -> Tensor:
        if self._within or self._change is None:
            return look_up(*asked)
        self._within = True
        try:
            lookup = look_up(*asked)
        finally:
            self._within = False
        self._number += 1
        return self._change(self._number - 1, lookup)


@contextmanager
def _intercepted(model: nn.Module, seen: _Numbered) -> Iterator[None]:
    """Within it, lookups in the model's tables go through `seen`."""
    tables = [m for m in model.modules() if isinstance(m, nn.Embedding | nn.EmbeddingBag)]
    methods: list[tuple[nn.Module, str]] = [(table, "forward") for table in tables]
    methods += [(table, "pooled") for table in tables if isinstance(table, Table)]
    try:
        for table, name in methods:
            vars(table)[name] = _through(seen, getattr(table, name))
        yield
    finally:
        for table, name in methods:
            vars(table).pop(name, None)


def _through(seen: _Numbered, look_up: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *asked: seen(look_up, *asked)


class _Watched(VectorTable):
    """A table of vectors whose lookups go through `seen`."""

    def __init__(self, table: VectorTable, seen: _Numbered) -> None:
        self.values, self._table, self._seen = table.values, table, seen

    def __call__(self, rows: Tensor) -> Tensor:
        return self._seen(self._table, rows)

    def pooled(self, rows: Tensor, padding_row: int = 0) -> Tensor:
        return self._seen(self._table.pooled, rows, padding_row)
