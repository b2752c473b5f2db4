"""What counts as missing: null, NaN, and text of nothing but white space."""

from __future__ import annotations

import polars as pl


def is_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Categorical) or isinstance(dtype, pl.Enum)


def is_nan(name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.col(name).is_nan().fill_null(False) if dtype.is_float() else pl.lit(False)


def is_empty(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return (pl.col(name).str.strip_chars().str.len_bytes() == 0).fill_null(False)
    if is_text(dtype):
        return (pl.col(name).cast(pl.String).str.strip_chars().str.len_bytes() == 0).fill_null(False)
    return pl.lit(False)


def present(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column with null for all that is missing."""
    column = pl.col(name)
    if dtype.is_float():
        return column.fill_nan(None)
    if is_text(dtype):
        text = column.cast(pl.String)
        return pl.when(text.str.strip_chars().str.len_bytes() == 0).then(None).otherwise(text).alias(name)
    return column


def comparable(name: str, dtype: pl.DataType) -> pl.Expr:
    """The same as values that can be grouped whatever the type: nested ones as their hash."""
    column = present(name, dtype)
    if dtype.is_nested():
        return pl.when(column.is_not_null()).then(column.hash()).alias(name)
    return column
