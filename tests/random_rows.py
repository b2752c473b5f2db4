"""Rows of random features for any schema, with labels that depend on them; no files."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from vector_tables import beyond_train, random_tables

from sandboxes.kit.batch import Batch
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, Task, VectorField

FIELDS = (CategoricalField("user", 12, "user"), CategoricalField("item", 9, "item"), CategoricalField("scene", 5))
NUMBERS = (NumericField("age", "user"), NumericField("price", "item"))
RICH = Schema(
    FIELDS,
    NUMBERS,
    (SequenceField("clicked", "item", 6), SequenceField("bought", "item", 3)),
    (Task("click"), Task("buy", given="click", delayed=True)),
    scenario="scene",
    target_item="item",
    timed=True,
)
PLAIN = Schema(FIELDS, NUMBERS)
NUMBERS_ONLY = Schema((), NUMBERS)
CATEGORIES_ONLY = Schema(FIELDS)
TWO_TASKS = Schema(FIELDS, NUMBERS, tasks=(Task("click"), Task("like")))
OUTCOMES = Schema(
    FIELDS,
    NUMBERS,
    (SequenceField("asked", "item", 4, events="all rows"), SequenceField("answers", "label", 4, "outcomes", "all rows")),
    target_item="item",
)
ILLUSTRATED = replace(
    RICH, vectors=(VectorField("image", "item", 6), VectorField("text", "item", 4), VectorField("home", "user", 3))
)
SCHEMAS = {
    "rich": RICH,
    "plain": PLAIN,
    "numbers only": NUMBERS_ONLY,
    "categories only": CATEGORIES_ONLY,
    "two tasks": TWO_TASKS,
    "outcomes": OUTCOMES,
    "illustrated": ILLUSTRATED,
}


@dataclass(frozen=True)
class RandomRows:
    """Satisfies `sandboxes.kit.training.fit.Rows`."""

    whole: Batch

    @property
    def labels(self) -> np.ndarray | None:
        return None if self.whole.labels is None else self.whole.labels.numpy()

    def __len__(self) -> int:
        return len(self.whole)

    def batch(self, rows: np.ndarray | slice) -> Batch:
        return self.whole[rows if isinstance(rows, slice) else torch.from_numpy(rows)]


def random_rows(schema: Schema, n: int = 512, seed: int = 0) -> RandomRows:
    """The first label depends on the parity of the categories' sum and on the numbers; later ones on the first. Histories
    may be empty; aligned ones are as long as each other. Positives of delayed tasks arrived at some time of those watched."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(1, f.cardinality, n) for f in schema.categorical]
    ids = np.stack(columns, 1) if columns else np.zeros((n, 0), np.int64)
    numeric = rng.normal(size=(n, len(schema.numeric))).astype(np.float32)
    history = {}
    for log in schema.event_logs:
        aligned, length = (*log.values, *log.outcomes), log.values[0].length
        drawn = [rng.integers(1 if s.records == "outcomes" else 2, schema.cardinality_of(s), (n, length)) for s in aligned]
        real = np.arange(length) >= length - rng.integers(0, length + 1, n)[:, None]
        history |= {s.name: torch.from_numpy(np.where(real, ids, 0)) for s, ids in zip(aligned, drawn, strict=True)}
    chance = 0.2 + 0.5 * (ids.sum(1) % 2) + 0.1 * np.tanh(numeric.sum(1))
    first = (rng.random(n) < chance).astype(np.float32)
    labels = np.stack([first, *(first * (rng.random(n) < 0.5) for _ in schema.tasks[1:])], 1).astype(np.float32)
    batch = Batch(torch.from_numpy(ids), torch.from_numpy(numeric), history, torch.from_numpy(labels))
    if schema.delayed_tasks:
        elapsed = rng.exponential(2, (n, 1)).repeat(len(schema.delayed_tasks), 1)
        delay = np.where(labels[:, schema.delayed_tasks] == 1, elapsed * rng.random(elapsed.shape), np.nan)
        batch.elapsed, batch.delay = (torch.from_numpy(of_rows.astype(np.float32)) for of_rows in (elapsed, delay))
    batch.tables = random_tables(schema)
    own = {v.name: batch.ids[:, schema.index_of(v.of)] for v in schema.vectors}
    batch.vector_rows = {name: beyond_train(ids, batch.tables[name]) for name, ids in own.items()}
    return RandomRows(batch)
