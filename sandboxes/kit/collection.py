"""What a model that predicts items or actions may know before it trains: every item's own fields, and who took what.

Notation: I items (ids of the target item, padding and unknown among them), E events of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.data.arrays import load_tables
from sandboxes.kit.ranking import Answers
from sandboxes.kit.schema import Schema
from sandboxes.kit.vector_table import VectorTable

ITEMS = "items"  # the files of the collection


@dataclass(frozen=True)
class Collection:
    """`items` holds a row for every id of the target item, with its item-side fields; all else in it is empty.

    `events` are the user and the item of every training event; the user is 0 where the schema names none.
    """

    items: Batch
    events: Tensor  # (E, 2) int64

    @property
    def counts(self) -> Tensor:
        """How often each item was taken in training (I,)."""
        return torch.bincount(self.events[:, 1], minlength=len(self.items))


def load_collection(visible: Path, tables: Mapping[str, VectorTable] | None = None) -> Collection | None:
    """The collection of the prepared folder `visible`; None where models predict labels. `tables` as for `load_split`."""
    schema = Schema.load(visible / "schema.json")
    if not schema.scores_items:
        return None
    ids, numeric = (np.load(visible / f"{ITEMS}.{what}.npy") for what in ("ids", "numeric"))
    history = {s.name: torch.zeros(len(ids), s.length, dtype=torch.int64) for s in schema.sequences}
    items = Answers.load(visible, "train.answers").items
    users = np.zeros(len(items), np.int64)
    if schema.user is not None:
        users = np.load(visible / "train.ids.npy", mmap_mode="r")[:, schema.index_of(schema.user)]
    return Collection(
        items=Batch(
            ids=torch.from_numpy(ids.astype(np.int64)),
            numeric=torch.from_numpy(numeric),
            history=history,
            vector_rows=_vector_rows(visible, schema),
            tables=load_tables(visible, schema) if tables is None else tables,
        ),
        events=torch.from_numpy(np.stack([users, items], axis=1).astype(np.int64)),
    )


def _vector_rows(visible: Path, schema: Schema) -> dict[str, Tensor]:
    if not schema.vectors:
        return {}
    rows = torch.from_numpy(np.load(visible / f"{ITEMS}.vector_rows.npy").astype(np.int64))  # (I, M)
    return {v.name: rows[:, i] for i, v in enumerate(schema.vectors)}
