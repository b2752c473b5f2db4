"""Raw columns as the text and the numbers that they stand for, whatever type they arrive in. Notation: n rows."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError


def as_text(column: pl.Series, dtype: str) -> pl.Series:
    """The column's values as the text that a column of the Polars type `dtype` with the same values has."""
    if dtype.startswith(("Int", "UInt")) and column.dtype.is_float():
        whole = column.is_finite() & (column == column.floor())
        integers = column.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.select(pl.when(whole).then(integers).otherwise(column.fill_nan(None).cast(pl.String))).to_series()
    if dtype in ("Float32", "Float64") and column.dtype.is_numeric():
        return column.cast(pl.Float32 if dtype == "Float32" else pl.Float64).cast(pl.String)
    if dtype == "Boolean":
        as_truth = column.cast(pl.Boolean).cast(pl.String) if column.dtype.is_numeric() else column.cast(pl.String)
        return as_truth.str.to_lowercase()
    if dtype == "Date" and column.dtype == pl.Datetime:
        return column.cast(pl.Date).cast(pl.String)
    return column.cast(pl.String)


def numbers_of(column: pl.Series) -> NDArray[np.float64]:
    """The column (n,) as numbers, NaN = missing. Raises `DataError` for text that is none."""
    numbers = column.cast(pl.Float64, strict=False)
    if column.dtype.is_numeric():
        return numbers.fill_null(np.nan).to_numpy()
    text = column.filter(numbers.is_null() & column.is_not_null()).cast(pl.String).str.strip_chars()
    wrong = text.filter(text != "")
    if len(wrong):
        raise DataError(f"the numeric column {column.name!r} holds {wrong[0]!r}; make it categorical or clean it")
    return numbers.fill_null(np.nan).to_numpy()
