"""Turns prepared rows, each of which is a logged decision, into contexts: which of all actions should be taken in each?

The action, and whatever else a row says of it, leaves the features of every split. Train and valid keep it apart, with its
propensity; of test both are hidden, as the reward is. An action of valid or test that train never took is kept as the unknown
one: no policy learned here takes it, and its row has no weight. Notation: n rows.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.encode import Rows
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.item_side import hide_items, items_of, write_items
from sandboxes.kit.data.leaks import check_propensities
from sandboxes.kit.data.prepared import SPLITS, LeakCheck
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.data.table import Table
from sandboxes.kit.ranking import Answers
from sandboxes.kit.schema import FIRST_ID, Schema

Floats = NDArray[np.float32]


def write_decisions(spec: TableSpec, table: Table, rows: Rows, schema: Schema, visible: Path, hidden: Path) -> LeakCheck:
    """Rewrites the arrays in `visible`, and adds actions, propensities and the collection of actions; says whether the
    propensities add up. Raises `DataError` for a decision without its reward, its action or a propensity in (0, 1]."""
    _check_known(spec, table, rows)
    propensity = propensities(spec, table)
    write_items(schema, visible)
    for code, split in enumerate(SPLITS):
        own, actions = propensity[rows.codes == code], items_of(schema, visible, split)
        taken = Answers(np.arange(len(actions) + 1), np.array(actions))
        for folder in (*((visible,) if split != "test" else ()), *((hidden,) if split != "train" else ())):
            taken.save(folder, f"{split}.answers")
            np.save(folder / f"{split}.propensity.npy", own)
        hide_items(schema, visible, split)
    return check_propensities(propensity, schema.n_items - FIRST_ID)


def propensities(spec: TableSpec, table: Table) -> Floats:
    """The propensity (n,) of every row. Raises `DataError` where it is missing, no number, or outside (0, 1]."""
    name = spec.propensity
    assert name is not None
    column = pl.concat(list(table.blocks(name)))
    numbers = column.cast(pl.Float64, strict=False)
    if text := column.filter(numbers.is_null() & column.is_not_null()).cast(pl.String).head(1).to_list():
        raise DataError(f"the propensity column {name!r} holds {text[0]!r}, which is no number; correct the log")
    numbers = numbers.fill_nan(None)
    if numbers.null_count():
        raise DataError(f"{numbers.null_count():,} rows have no propensity in {name!r}; leave out what was logged without one")
    found: Floats = numbers.to_numpy().astype(np.float32)
    wrong = ~((found > 0) & (found <= 1))
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum()):,} rows have a propensity outside (0, 1] in {name!r}, such as {numbers[int(wrong.argmax())]:g}; "
            f"it is the probability with which the logging policy took the action"
        )
    return found


def _check_known(spec: TableSpec, table: Table, rows: Rows) -> None:
    """Every decision has its reward and its action."""
    (reward,), target = spec.tasks, next(c for c in spec.categorical if c.name == spec.target_item)
    if missing := int(np.isnan(rows.labels).sum()):
        raise DataError(f"{missing:,} rows have no reward {reward.name!r}; leave out decisions whose reward is not known yet")
    if missing := sum(block.null_count() for block in table.blocks(target.column or target.name)):
        raise DataError(f"{missing:,} rows do not say which action was taken in {target.column or target.name!r}; leave them out")
