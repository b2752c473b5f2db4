"""The rows that methods of the data alone look at: those of train whose label is known, evenly, at most 100,000.

Notation: n rows, C categorical fields, N numeric fields, L history length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.autofeature.selection.method import NoRanking
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.rows import spread

MOST_ROWS = 100_000
FEWEST_OF_A_CLASS = 20


@dataclass(frozen=True)
class Sample:
    schema: Schema
    task: str
    labels: NDArray[np.float64]  # (n,), 0 or 1
    ids: NDArray[np.int64]  # (n, C)
    numeric: NDArray[np.float64]  # (n, N)
    history: Mapping[str, NDArray[np.int64]]  # each (n, L)

    def __len__(self) -> int:
        return len(self.labels)


def sampled(prepared: Prepared, task: int, most: int = MOST_ROWS) -> Sample:
    """Raises `NoRanking` where the data has no labels, or hardly any of one class."""
    schema = prepared.schema
    if schema.predicts != "labels":
        raise NoRanking(f"fields are ranked by how well they tell labels, and {prepared.name} asks for {schema.predicts}")
    rows = load_split(prepared.visible, "train")
    assert rows.labels is not None
    labels = rows.labels[:, task]
    own = spread(np.flatnonzero(~np.isnan(labels)), most)
    positives = int((labels[own] == 1).sum())
    if min(positives, len(own) - positives) < FEWEST_OF_A_CLASS:
        raise NoRanking(
            f"{len(own):,} train rows of {prepared.name} have {positives:,} positives of {schema.tasks[task].name}; "
            f"a ranking needs {FEWEST_OF_A_CLASS} rows of either class"
        )
    return Sample(
        schema=schema,
        task=schema.tasks[task].name,
        labels=labels[own].astype(np.float64),
        ids=rows.ids[own].astype(np.int64),
        numeric=rows.numeric[own].astype(np.float64),
        history={name: array[own].astype(np.int64) for name, array in rows.history.items()},
    )
