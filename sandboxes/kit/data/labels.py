"""Label columns to 0, 1 and NaN. Notation: n rows, T tasks."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.spec import Label
from sandboxes.kit.data.table import Table
from sandboxes.kit.schema import NEGATIVE_ID, NOT_OBSERVED_ID, POSITIVE_ID


def label_array(tasks: tuple[Label, ...], table: Table) -> NDArray[np.float32]:
    """Labels (n, T), NaN = not observed. Raises `DataError` for text that is no number, or a label against its `given`."""
    names = [t.name for t in tasks]
    columns: list[NDArray[np.float32]] = []
    for task in tasks:
        label = np.concatenate([np.zeros(0, np.float32), *(_one(task, b) for b in table.blocks(task.column or task.name))])
        if task.given:
            label = _over_entire_space(task, label, columns[names.index(task.given)])
        columns.append(label)
    return np.stack(columns, axis=1)


def outcome_ids(labels: NDArray[np.float32]) -> NDArray[np.int32]:
    """What came of rows, as the ids that a history of outcomes holds; of labels of any shape."""
    return np.select([labels == 1, labels == 0], [POSITIVE_ID, NEGATIVE_ID], NOT_OBSERVED_ID).astype(np.int32)


def said_outcomes(task: Label, said: pl.Series) -> NDArray[np.int32]:
    """The same (n,) of texts as the label's own column has them; an empty one is not observed."""
    text = said.replace({"": None})
    if task.equals is None:
        text = text.replace({"true": "1", "false": "0"})  # a list of truth values has become text
    return outcome_ids(_one(task, text))


def _one(task: Label, column: pl.Series) -> NDArray[np.float32]:
    if task.present:
        return _floats(column.is_not_null().replace(False, None))
    if column.dtype.is_numeric() and task.equals is None and task.unobserved is None:
        return _floats(column.cast(pl.Float64).fill_nan(None) >= task.at_least)
    text = column.cast(pl.Int8).cast(pl.String) if column.dtype == pl.Boolean else column.cast(pl.String).str.strip_chars()
    if task.unobserved is not None:
        same = text == task.unobserved
        text = pl.select(pl.when(same).then(None).otherwise(text)).to_series()
    if task.equals is not None:
        return _floats(text == task.equals)
    numbers = text.cast(pl.Float64, strict=False).fill_nan(None)
    wrong = text.filter(numbers.is_null() & text.is_not_null() & (text.str.to_lowercase() != "nan"))
    if len(wrong):
        raise DataError(
            f"the label column {column.name!r} holds {wrong[0]!r}, which is no number; say which text is positive with "
            f'equals = "..." in the schema file'
        )
    return _floats(numbers >= task.at_least)


def _floats(positive: pl.Series) -> NDArray[np.float32]:
    floats: NDArray[np.float32] = positive.cast(pl.Float32).fill_null(np.nan).to_numpy().copy()
    return floats


def _over_entire_space(task: Label, label: NDArray[np.float32], given: NDArray[np.float32]) -> NDArray[np.float32]:
    """The label as 0 where `given` is 0; unobserved where `given` is."""
    contradictions = int(((label == 1) & (given == 0)).sum())
    if contradictions:
        raise DataError(
            f"{contradictions:,} rows have {task.name} without {task.given}, which it is given; correct the labels or drop given"
        )
    return np.where(given == 0, np.float32(0), np.where(np.isnan(given), np.float32(np.nan), label))
