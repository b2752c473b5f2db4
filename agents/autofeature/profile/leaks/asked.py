"""One task's labels and the columns that are asked about it, on the rows of the sample where it is observed.

Notation: S such rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from agents.autofeature.profile.model import Kind, Reason, Role, Severity, Suspect
from agents.autofeature.profile.rates import Area, area
from agents.autofeature.profile.readings import Codes, Reading
from sandboxes.kit.data.leaks import FEWEST_OF_A_CLASS

LEVEL = 0.01  # that a table in which nothing knows the label raises any alarm
READINGS = 12  # that a column has at most, for the correction


@dataclass(frozen=True)
class Asked:
    """One task on those `rows` of the whole sample (S,) where it is observed; all else is of these rows.

    `times` (S,) are NaN where unknown. `allowed` columns may tell a label almost alone. `z` is the number of standard errors that
    make chance unlikely, over all columns, readings and tasks.
    """

    task: str
    sample: pl.DataFrame
    rows: NDArray[np.int64]
    labels: NDArray[np.bool_]
    halves: NDArray[np.bool_]
    positions: NDArray[np.int64]
    times: NDArray[np.float64]
    columns: tuple[str, ...]
    kinds: dict[str, Kind]
    roles: dict[str, tuple[Role, ...]]
    allowed: frozenset[str]
    z: float

    @property
    def enough(self) -> bool:
        return min(int(self.labels.sum()), int((~self.labels).sum())) >= FEWEST_OF_A_CLASS

    def suspect(self, column: str, reason: Reason, severity: Severity, evidence: str, numbers: dict[str, float]) -> Suspect:
        return Suspect(
            column=column,
            task=self.task,
            reason=reason,
            severity=severity,
            evidence=evidence,
            numbers={name: float(value) for name, value in numbers.items()},
        )

    def area(self, reading: Reading, groups: Codes | None = None) -> Area:
        return area(reading.codes, self.labels, self.halves, groups, reading.ranked)


def asked_of(
    task: str,
    sample: pl.DataFrame,
    labels: NDArray[np.float32],
    positions: NDArray[np.int64],
    times: NDArray[np.float64] | None,
    columns: tuple[str, ...],
    kinds: dict[str, Kind],
    roles: dict[str, tuple[Role, ...]],
    allowed: frozenset[str],
    tasks: int,
) -> Asked:
    rows = np.flatnonzero(~np.isnan(labels))
    halves = np.random.default_rng(0).random(len(rows)) < 0.5
    return Asked(
        task=task,
        sample=sample if len(rows) == sample.height else sample[rows],
        rows=rows,
        labels=labels[rows] == 1,
        halves=halves,
        positions=positions[rows],
        times=np.full(len(rows), np.nan) if times is None else times[rows],
        columns=columns,
        kinds=kinds,
        roles=roles,
        allowed=allowed,
        z=float(norm.isf(LEVEL / max(1, len(columns) * READINGS * tasks))),
    )
