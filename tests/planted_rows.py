"""Rows in memory with planted effects, over schemas of every shape. Notation: n rows, L history length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from vector_tables import random_tables

from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import (
    NEGATIVE_ID,
    POSITIVE_ID,
    CategoricalField,
    NumericField,
    Schema,
    SequenceField,
    Task,
    VectorField,
)

VALUES = 12  # known values of every categorical field; ids 2 .. 13
CARDINALITY = VALUES + 2
LENGTH = 6


@dataclass(frozen=True)
class PlantedRows:
    """A split in memory, as the trainer takes it."""

    all: Batch

    @property
    def labels(self) -> NDArray[np.float32] | None:
        return None if self.all.labels is None else self.all.labels.numpy()

    def __len__(self) -> int:
        return len(self.all)

    def batch(self, rows: NDArray[np.int64] | slice) -> Batch:
        return self.all[rows if isinstance(rows, slice) else torch.from_numpy(rows)]


def categorical(*names: str) -> tuple[CategoricalField, ...]:
    return tuple(CategoricalField(name, CARDINALITY) for name in names)


TASKS = (Task("click"), Task("buy", given="click"), Task("liked"))  # the last is unobserved on two rows of five

SCHEMAS: Mapping[str, Schema] = {
    "categorical": Schema(categorical("user", "item", "hour")),
    "numeric": Schema((), numeric=(NumericField("age"), NumericField("price"), NumericField("size"))),
    "mixed": Schema(categorical("user", "item"), numeric=(NumericField("age"), NumericField("price"))),
    "history": Schema(categorical("user", "item"), sequences=(SequenceField("seen", "item", LENGTH),), target_item="item"),
    "two_histories": Schema(
        categorical("user", "item", "shop"),
        sequences=(SequenceField("seen", "item", LENGTH), SequenceField("shops", "shop", LENGTH)),
        target_item="item",
    ),
    "outcomes": Schema(
        categorical("user", "item", "shop"),
        sequences=(
            SequenceField("seen", "item", LENGTH, events="all rows"),
            SequenceField("shops", "shop", LENGTH, events="all rows"),
            SequenceField("results", "label", LENGTH, "outcomes", "all rows"),
        ),
        target_item="item",
    ),
    "tasks": Schema(categorical("user", "item", "hour"), tasks=TASKS),
    "tasks_and_history": Schema(
        categorical("user", "item"), (NumericField("age"),), (SequenceField("seen", "item", LENGTH),), TASKS
    ),
    "scenario": Schema(categorical("user", "item", "tab"), scenario="tab"),
    "one_field": Schema(categorical("item")),
    "vectors": Schema(
        categorical("user", "item"),
        sequences=(SequenceField("seen", "item", LENGTH),),
        target_item="item",
        vectors=(VectorField("image", "item", 5), VectorField("text", "item", 4)),
    ),
}


def planted(schema: Schema, rows: int, seed: int = 0, strength: float = 2.0) -> PlantedRows:
    """Rows whose first label depends on: the first pair of fields together (or on the only field), each of the first two a
    little by itself, and on whether the history holds the target's kind, or, where it has outcomes, on what came of that kind.
    Later labels are drawn from the same truth; one that is `given` another is 0 where that is 0, and the third is NaN on two
    rows of five.
    """
    rng = np.random.default_rng(seed)
    ids = rng.integers(2, CARDINALITY, (rows, len(schema.categorical)))
    numeric = rng.normal(size=(rows, len(schema.numeric)))
    history = _histories(schema, rng, rows)
    halves = np.concatenate([np.where(ids % 2 == 0, 1.0, -1.0), numeric], axis=1)  # (n, F)
    pair = halves[:, 0] * halves[:, 1] if halves.shape[1] > 1 else halves[:, 0]
    logit = strength * pair + 0.5 * halves[:, :2].sum(1)
    for s in schema.sequences:
        if s.records == "values":
            kin = (history[s.name] % 2 == ids[:, [schema.index_of(s.of)]] % 2) & (history[s.name] > 0)
            outcomes = schema.outcomes_along(s.name)
            if outcomes:  # a positive one of the target's kind speaks for the row, a negative one against it
                kin = kin * (1.0 * (history[outcomes[0].name] == POSITIVE_ID) - (history[outcomes[0].name] == NEGATIVE_ID))
            share = kin.sum(1) / np.maximum((history[s.name] > 0).sum(1), 1)
            logit = logit + strength * (share if outcomes else share - 0.5)
    labels = np.stack([rng.random(rows) < 1 / (1 + np.exp(-logit)) for _ in schema.tasks], axis=1).astype(np.float32)
    for t, task in enumerate(schema.tasks):
        if task.given:
            labels[labels[:, [k.name for k in schema.tasks].index(task.given)] == 0, t] = 0
    labels[np.arange(rows) % 5 < 2, 2:] = np.nan
    tensors = {name: torch.from_numpy(h) for name, h in history.items()}
    batch = Batch(torch.from_numpy(ids), torch.from_numpy(numeric.astype(np.float32)), tensors, torch.from_numpy(labels))
    batch.tables = random_tables(schema)
    batch.vector_rows = {v.name: batch.ids[:, schema.index_of(v.of)] for v in schema.vectors}
    return PlantedRows(batch)


def _histories(schema: Schema, rng: np.random.Generator, rows: int) -> dict[str, NDArray[np.int64]]:
    """Ids (n, L), padded on the left, alike in aligned sequences; about one in seven is empty."""
    found = {}
    for log in schema.event_logs:
        aligned = (*log.values, *log.outcomes)
        drawn = [rng.integers(1 if s.records == "outcomes" else 2, schema.cardinality_of(s), (rows, LENGTH)) for s in aligned]
        padding = np.arange(LENGTH) < LENGTH - rng.integers(0, LENGTH + 1, (rows, 1))
        found |= {s.name: np.where(padding, 0, ids) for s, ids in zip(aligned, drawn, strict=True)}
    return found
