"""A trained model and the rows that its fields are ranked by: what every method is given, and what it gives.

Notation: n rows, B rows at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.importance.config import ImportanceConfig, Reason
from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.importance.mixing import column
from sandboxes.kit.metrics import auc
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.goal import EVALUATION_BATCH
from sandboxes.kit.training.model import predict
from sandboxes.kit.training.rows import Rows, spread


@dataclass(frozen=True)
class Asked:
    """`model` is trained and lies on the device of `rows` (n), which are of valid and have the task's label. The seed decides
    what is drawn."""

    model: nn.Module
    schema: Schema
    rows: Batch
    config: ImportanceConfig
    seed: int = 0

    @property
    def fields(self) -> tuple[str, ...]:
        return field_names(self.schema)

    @property
    def task(self) -> int:
        return self.config.task

    @property
    def labels(self) -> Tensor:
        """Of the task, (n,)."""
        assert self.rows.labels is not None
        return self.rows.labels[:, self.task]

    @cached_property
    def truth(self) -> NDArray[np.float32]:
        """The labels (n,), where metrics are computed."""
        return self.labels.cpu().numpy()

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The fields that are not the same in all rows; no method has anything to say of others."""
        columns = {name: column(self.rows, name, self.schema) for name in self.fields}
        return tuple(name for name, values in columns.items() if bool((values != values[:1]).any()))

    def generator(self) -> torch.Generator:
        """Draws anew from the seed."""
        return torch.Generator().manual_seed(self.seed)

    def shuffle(self, generator: torch.Generator) -> Tensor:
        """An order (n,) of the rows."""
        return torch.randperm(len(self.rows), generator=generator).to(self.rows.device)

    def auc(self, rows: Batch) -> float:
        """Of the model's predictions for `rows` (n), which are those asked about but for some fields."""
        n_tasks = len(self.schema.tasks)
        found = [predict(self.model, part, n_tasks)[:, self.task] for part in parts(rows, EVALUATION_BATCH)]
        return auc(self.truth, torch.cat(found).cpu().numpy())


@dataclass(frozen=True)
class Answer:
    """Scores by field, higher being more useful; standard errors, where the method has any; and why others have no score."""

    scores: dict[str, float]
    errors: dict[str, float] = field(default_factory=dict)
    unscored: dict[str, Reason] = field(default_factory=dict)


class Importance(Protocol):
    def __call__(self, asked: Asked) -> Answer:
        """Every field has a score or a reason why it has none; one that is the same in all rows has the score 0."""
        ...


def asked_of(model: nn.Module, schema: Schema, valid: Rows, config: ImportanceConfig, seed: int, device: str = "cpu") -> Asked:
    """Raises `ValueError` where valid cannot tell a good order of its rows from a bad one."""
    if schema.predicts != "labels" or config.task >= len(schema.tasks):
        raise ValueError(f"fields are ranked for one of the {len(schema.tasks)} tasks of data that has labels")
    assert valid.labels is not None
    labels = valid.labels[:, config.task]
    own = spread(np.flatnonzero(~np.isnan(labels)), config.rows)
    if len(np.unique(labels[own])) < 2:
        raise ValueError(f"valid needs positive and negative labels of {schema.tasks[config.task].name} to rank fields by")
    return Asked(model.eval().requires_grad_(False).to(device), schema, valid.batch(own).to(device), config, seed)


def parts(rows: Batch, size: int) -> Iterator[Batch]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
