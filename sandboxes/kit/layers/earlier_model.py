"""A model as it was at an earlier time, asked beside the one that goes on training.

Notation: B rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table import Table

State = dict[str, Tensor]


def state_now(model: nn.Module) -> State:
    """A copy of the model's state, which further training does not change."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@torch.no_grad()
def said_before(model: nn.Module, state: Mapping[str, Tensor], batch: Batch) -> Tensor:
    """What the model gave in that `state`, in evaluation mode. Weights and modes are swapped for the time of the call, which
    cannot be compiled."""
    with _left_as_it_was(model):
        said: Tensor = functional_call(model, dict(state), (batch,))
    return said


@contextmanager
def _left_as_it_was(model: nn.Module) -> Iterator[None]:
    """In evaluation, and without anybody hearing of lookups, which call for updates of the rows looked up."""
    training, tables = model.training, [m for m in model.modules() if isinstance(m, Table)]
    watchers = [t.watcher for t in tables]
    model.eval()
    for table in tables:
        table.watcher = None
    try:
        yield
    finally:
        model.train(training)
        for table, watcher in zip(tables, watchers, strict=True):
            table.watcher = watcher
