"""Queries in memory with planted answers, over schemas of every shape that predicts items. Notation: n rows, L history length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from vector_tables import random_tables

from sandboxes.kit.batch import Batch
from sandboxes.kit.collection import Collection
from sandboxes.kit.ranking import Answers, ItemLists
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, VectorField

ITEMS, USERS, KINDS, LENGTH = 60, 40, 4, 5
USER, ITEM = CategoricalField("user", USERS + 2, "user"), CategoricalField("item", ITEMS + 2, "item")
KIND, HOUR = CategoricalField("kind", KINDS + 2, "item"), CategoricalField("hour", 6)
SEEN = SequenceField("seen", "item", LENGTH)

SCHEMAS: Mapping[str, Schema] = {
    "user": Schema((USER, ITEM), target_item="item", user="user", predicts="items"),
    "user_and_history": Schema((USER, ITEM, KIND), sequences=(SEEN,), target_item="item", user="user", predicts="items"),
    "history": Schema((ITEM, KIND), sequences=(SEEN,), target_item="item", predicts="items"),
    "context": Schema(
        (HOUR, ITEM, KIND),
        (NumericField("age", "user"), NumericField("price", "item")),
        (SEEN, SequenceField("kinds", "kind", LENGTH)),
        target_item="item",
        predicts="items",
    ),
    "vectors": Schema(
        (USER, ITEM, KIND),
        sequences=(SEEN,),
        target_item="item",
        user="user",
        predicts="items",
        vectors=(VectorField("poster", "item", 5), VectorField("home", "user", 3), VectorField("look", "kind", 3)),
    ),
}


@dataclass(frozen=True)
class PlantedQueries:
    """A split in memory, as the trainer takes it. Batches hold the answer where `training`."""

    all: Batch
    answers: Answers | None
    taken: ItemLists | None = None
    training: bool = True
    labels: None = None

    def __len__(self) -> int:
        return len(self.all)

    def batch(self, rows: NDArray[np.int64] | slice) -> Batch:
        part = self.all[rows if isinstance(rows, slice) else torch.from_numpy(rows)]
        return part if self.training else replace(part, answer=None)


def planted(schema: Schema, rows: int, seed: int = 0, training: bool = True) -> PlantedQueries:
    """The item is of the kind that the user, else the hour, else the last item seen points to, nine times of ten; within a kind
    some items are liked more."""
    rng = np.random.default_rng(seed)
    names = [f.name for f in schema.categorical]
    ids = np.stack([rng.integers(2, f.cardinality, rows) for f in schema.categorical], 1)
    seen = rng.integers(2, ITEMS + 2, (rows, LENGTH))
    seen[np.arange(LENGTH) < LENGTH - rng.integers(1, LENGTH + 1, (rows, 1))] = 0
    points = next((ids[:, names.index(n)] for n in ("user", "hour") if n in names), seen[:, -1])
    kind = np.where(rng.random(rows) < 0.9, points % KINDS, rng.integers(0, KINDS, rows))
    nth = np.minimum(rng.geometric(0.25, rows) - 1, ITEMS // KINDS - 1)
    answer = 2 + (kind + nth * KINDS) - 2 % KINDS
    answer = np.clip(answer, 2, ITEMS + 1)
    of_ids, of_numeric = schema.item_columns
    ids[:, of_ids] = 0
    numeric = rng.normal(size=(rows, len(schema.numeric))).astype(np.float32)
    numeric[:, of_numeric] = 0
    histories = {
        s.name: torch.from_numpy(seen if s.of == "item" else np.where(seen > 0, kind_of(seen), 0)) for s in schema.sequences
    }
    batch = Batch(torch.from_numpy(ids), torch.from_numpy(numeric), histories, answer=torch.from_numpy(answer))
    batch.tables = random_tables(schema)
    batch.vector_rows = {v.name: batch.ids[:, schema.index_of(v.of)] for v in schema.vectors}
    return PlantedQueries(batch, Answers(np.arange(rows + 1), answer.astype(np.int32)), training=training)


def kind_of(items: NDArray[np.int64]) -> NDArray[np.int64]:
    """The id of an item's kind."""
    return 2 + items % KINDS


def collection(schema: Schema, train: PlantedQueries) -> Collection:
    """Every item with its kind, and the events of `train`."""
    assert train.answers is not None
    ids = torch.zeros(ITEMS + 2, len(schema.categorical), dtype=torch.int64)
    for column, field in enumerate(schema.categorical):
        if field.name == "item":
            ids[:, column] = torch.arange(ITEMS + 2)
        elif field.name == "kind":
            ids[:, column] = torch.from_numpy(kind_of(np.arange(ITEMS + 2)))
            ids[:2, column] = 1
    numeric = torch.zeros(ITEMS + 2, len(schema.numeric))
    users = torch.zeros(len(train), dtype=torch.int64)
    if schema.user is not None:
        users = train.all.ids[:, schema.index_of(schema.user)]
    history = {s.name: torch.zeros(ITEMS + 2, s.length, dtype=torch.int64) for s in schema.sequences}
    items = Batch(ids, numeric, history, tables=random_tables(schema))
    items.vector_rows = {v.name: ids[:, schema.index_of(v.of)] for v in schema.vectors}
    return Collection(items, torch.stack([users, torch.from_numpy(train.answers.items.astype(np.int64))], 1))
