"""A table's user and time columns as numbers of all rows. Notation: n rows, B rows of a block."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.stable_hash import column_hashes
from sandboxes.kit.data.table import BLOCK, Table


def user_codes(blocks: Iterable[pl.Series]) -> NDArray[np.int64]:
    """A whole number (n,) per distinct value of the column."""
    hashes = np.concatenate([column_hashes(block) for block in blocks])
    distinct = np.sort(hashes)
    distinct = distinct[np.append(True, distinct[1:] != distinct[:-1])]
    codes = hashes.view(np.int64)  # written over the hashes, block by block
    for at in range(0, len(hashes), BLOCK):
        codes[at : at + BLOCK] = np.searchsorted(distinct, hashes[at : at + BLOCK])
    return codes


def time_values(table: Table, name: str) -> NDArray[np.float64]:
    """Times (n,) as numbers that order them; text is read as ISO dates. Raises `DataError` for what is no time."""
    return _values(table, name, slice(None), "time", "numbers or ISO dates")


def moments(column: pl.Series) -> NDArray[np.float64]:
    """Times (n,) as numbers, NaN where there is none: numbers as they are, dates in microseconds since 1970."""
    numbers = _times(column, dates=False)
    if column.dtype != pl.String:
        return numbers
    return np.where(np.isnan(numbers), _times(column, dates=True), numbers)


def arrival_values(table: Table, name: str) -> NDArray[np.float64]:
    """The same (n,), NaN where nothing arrived: where the column is empty. Raises `DataError` for what else is no time."""
    given = np.concatenate([_given(block) for block in table.blocks(name)])
    return _values(table, name, given, "time of arrival", "numbers, ISO dates or nothing")


def _values(table: Table, name: str, wanted: slice | NDArray[np.bool_], what: str, remedy: str) -> NDArray[np.float64]:
    """Times (n,), NaN where there is none, which must not be where one is `wanted`; text is read as dates if not as numbers."""
    values = np.concatenate([_times(block, dates=False) for block in table.blocks(name)])
    if table.dtype(name) == pl.String and np.isnan(values[wanted]).any():
        values = np.concatenate([_times(block, dates=True) for block in table.blocks(name)])
    unreadable = int(np.isnan(values[wanted]).sum())
    if unreadable:
        raise DataError(f"{unreadable:,} rows have no readable {what} in {name!r}; give {remedy}")
    return values


def _given(column: pl.Series) -> NDArray[np.bool_]:
    """Where the column holds anything (B,)."""
    if column.dtype == pl.String:
        column = column.str.strip_chars().replace("", None)
    elif column.dtype.is_float():
        column = column.fill_nan(None)
    return column.is_not_null().to_numpy()


def _dates(column: pl.Series) -> pl.Series:
    try:
        return column.str.to_datetime(strict=False)
    except pl.exceptions.ComputeError:  # no value of the block looks like a date
        return pl.Series([None] * len(column), dtype=pl.Datetime("us"))


def _times(column: pl.Series, dates: bool) -> NDArray[np.float64]:
    """Times (B,), NaN where there is none; of text, numbers, or with `dates` dates."""
    if column.dtype == pl.String:
        column = _dates(column) if dates else column.cast(pl.Float64, strict=False)
    if column.dtype.is_temporal():
        column = column.cast(pl.Datetime("us")).cast(pl.Int64) if column.dtype != pl.Time else column.cast(pl.Int64)
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()
