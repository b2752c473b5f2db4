"""Derived columns of a table in preparation: each is fitted on train, made for all rows, and its state kept for new ones.

The columns that one transform asks for, and what it makes, are in memory at a time. Notation: n rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from sandboxes.kit.data.derived_rows import as_wanted, save_state
from sandboxes.kit.data.encode import Rows
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.data.splits import TRAIN
from sandboxes.kit.data.table import Table
from sandboxes.kit.features import AnyTransform, HoldsOut, Log, OfHistory


def derive(spec: TableSpec, table: Table, rows: Rows, folder: Path, states: Path) -> Table:
    """The table with the derived columns that rows have before they are encoded, written to `folder`; what was learned is written
    to `states`."""
    train = rows.codes == TRAIN
    for number, d in enumerate(spec.derived):
        if isinstance(d, OfHistory):
            continue
        columns = pl.DataFrame([as_wanted(table.column(name), kind, str(table.dtype(name))) for name, kind in d.inputs.items()])
        labels = rows.labels[:, spec.task_index(d.task)] if d.task else None
        made = _fitted(d, Log(columns, train, labels, rows.times), states)
        table = table.with_column(made.alias(d.name), folder / f"{number}.derived")
    return table


def _fitted(d: AnyTransform, log: Log, states: Path) -> pl.Series:
    state = d.fit(log)
    save_state(states, d.name, state)
    made = d.apply(log.columns, state)
    if isinstance(d, HoldsOut):
        values = made.to_numpy().copy()
        values[log.train] = d.of_train(log, state).to_numpy()
        made = pl.Series(values)
    return made


def measure_histories(spec: TableSpec, table: Table, rows: Rows, visible: Path, folder: Path) -> Table:
    """The table with the derived columns that are made of rows as they were encoded into `visible`."""
    for number, d in enumerate(spec.measures):
        field = next(s.of for s in spec.sequences if s.name == d.of)
        column = [c.name for c in spec.categorical].index(field)
        values = np.empty(len(rows))
        for code, split in enumerate(SPLITS):
            history = np.load(visible / f"{split}.history.{d.of}.npy", mmap_mode="r")
            own = np.load(visible / f"{split}.ids.npy", mmap_mode="r")[:, column]
            values[rows.codes == code] = d.measure(history, own)
        table = table.with_column(pl.Series(d.name, values), folder / f"{number}.measured")
    return table
