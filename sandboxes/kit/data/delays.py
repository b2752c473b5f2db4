"""Labels whose positives arrive late: what a team knows of train rows at the moment of training, and how long it has waited.

Training happens at the last moment of train. A train row has been watched since its own time; of its positive only an arrival
up to that moment is known. Notation: n rows, m of them train rows, T tasks, T' of them delayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.data.splits import TRAIN
from sandboxes.kit.data.table import Table
from sandboxes.kit.data.users_and_times import arrival_values

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Waits:
    """How long train rows had been watched, and how long known positives took, NaN elsewhere: each (m, T'), in units of the mean
    of the delays known. `facts` says by task that mean in the unit of time, and the share of positives that were yet to come."""

    elapsed: Floats
    delay: Floats
    facts: Mapping[str, Mapping[str, float]]


def known_when_training(
    spec: TableSpec, table: Table, labels: Floats, times: NDArray[np.float64], codes: NDArray[np.int8]
) -> Waits:
    """Turns positives of train rows in `labels` (n, T) that were yet to come into 0, in place, and says how long was waited.

    Raises `DataError` for a positive without an arrival, an arrival without a positive or before its row's time, and where no
    positive of train arrives in time.
    """
    own = codes == TRAIN
    since, elapsed, delays, facts = times[own], [], [], dict[str, Mapping[str, float]]()
    for task in spec.delayed_tasks:
        column = spec.task_index(task.name)
        late = _delays(spec, table, labels[:, column], times, column)[own]  # (m,)
        positive, watched = labels[own, column] == 1, since.max() - since
        known = positive & (late <= watched)
        if task.given:
            known &= labels[own, spec.task_index(task.given)] == 1
        labels[own, column] = np.where(positive & ~known, np.float32(0), labels[own, column])
        if not known.any():
            raise DataError(f"{spec.name}: no positive of {task.name!r} in train arrives before train ends; give train more time")
        unit = float(late[known].mean()) or 1.0  # all at once: any unit will do
        elapsed.append(watched / unit)
        delays.append(np.where(known, late, np.nan) / unit)
        facts[task.name] = {"mean delay": unit, "yet to come": round(1 - float(known.sum() / positive.sum()), 5)}
    return Waits(np.stack(elapsed, axis=1, dtype=np.float32), np.stack(delays, axis=1, dtype=np.float32), facts)


def _delays(spec: TableSpec, table: Table, label: Floats, times: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """How long each positive (n,) took to arrive, NaN for other rows."""
    task = spec.tasks[column]
    delays = arrival_values(table, task.arrives) - times
    positive, arrived = label == 1, ~np.isnan(delays)
    for wrong, said, remedy in (
        (positive & ~arrived, f"have {task.name!r} and no time in {task.arrives!r}", "say when each became known"),
        (arrived & ~positive, f"have a time in {task.arrives!r} and not {task.name!r}", "leave it empty there"),
        (delays < 0, f"have {task.name!r} before their own time in {spec.time!r}", "check the units of both columns"),
    ):
        if wrong.any():
            raise DataError(f"{spec.name}: {int(wrong.sum()):,} rows {said}; {remedy}")
    return delays
