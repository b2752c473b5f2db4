"""The tasks' labels of all rows. Notation: n rows, T tasks."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.model import TaskProfile
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.labels import label_array
from sandboxes.kit.data.spec import Label
from sandboxes.kit.data.table import Table

Labels = NDArray[np.float32]


def read_labels(tasks: tuple[Label, ...], table: Table, rows: int) -> tuple[Labels, str]:
    """Labels (n, T), NaN = not observed, all of them where a label cannot be read, with the reason in a sentence."""
    try:
        return label_array(tasks, table), ""
    except (DataError, pl.exceptions.PolarsError) as error:
        return np.full((rows, len(tasks)), np.nan, dtype=np.float32), str(error).strip().partition("\n")[0]


def task_profiles(tasks: tuple[Label, ...], labels: Labels, problem: str) -> tuple[TaskProfile, ...]:
    profiles = []
    for t, task in enumerate(tasks):
        observed, positives = int((~np.isnan(labels[:, t])).sum()), int((labels[:, t] == 1).sum())
        rate = positives / observed if observed else None
        profiles.append(
            TaskProfile(
                name=task.name,
                column=task.column or task.name,
                observed=observed,
                positives=positives,
                rate=rate,
                problem=problem,
            )
        )
    return tuple(profiles)
