"""Reads vectors made elsewhere from a user's file. Notation: K values with a vector, W numbers of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.source import GivenVectors
from sandboxes.kit.data.spec import Vectors


def vectors_of_table(said: Vectors, key: str, table: pl.DataFrame, file: Path) -> GivenVectors:
    """The vectors in a table whose column `key` holds the raw values. Raises `DataError` for columns that are not there, lists of
    different lengths and what is no number."""
    for name in (key, said.column, *said.columns):
        if name and name not in table.columns:
            raise DataError(f"{file} has no column {name!r}; it has {', '.join(map(repr, table.columns))}")
    lists = [said.column] if said.column else table.select(cs.list() | cs.array()).columns
    if not said.columns and (said.column or len(lists) == 1):
        table = table.drop_nulls(lists[0])
        return GivenVectors(table[key], _of_lists(table[lists[0]], file))
    numbers = said.columns or table.select(cs.numeric().exclude(key)).columns
    if not numbers:
        raise DataError(f"{file} has no column of lists and none of numbers beside {key!r}; name the vectors' column")
    wrong = [name for name in numbers if not table[name].dtype.is_numeric()]
    if wrong:
        raise DataError(f"the column {wrong[0]!r} of {file} holds no numbers")
    return GivenVectors(table[key], table.select(pl.col(numbers).cast(pl.Float32).fill_null(np.nan)).to_numpy())


def vectors_of_arrays(file: Path) -> GivenVectors:
    """The vectors in a .npz file: its arrays `keys` (K,) and `vectors` (K, W). Raises `DataError` for anything else."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            keys, vectors = arrays["keys"], arrays["vectors"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{file} cannot be read as arrays keys and vectors of plain numbers or texts: {error}") from None
    if keys.ndim != 1 or vectors.ndim != 2 or len(keys) != len(vectors):
        raise DataError(
            f"{file} holds keys {keys.shape} and vectors {vectors.shape}; there must be a row of vectors for each key"
        )
    return GivenVectors(pl.Series("keys", keys), vectors.astype(np.float32))


def _of_lists(column: pl.Series, file: Path) -> NDArray[np.float32]:
    """Lists of equal lengths as (K, W)."""
    if not isinstance(column.dtype, pl.List | pl.Array) or not column.dtype.inner.is_numeric():
        raise DataError(f"the column {column.name!r} of {file} holds no lists of numbers; columns of numbers stand under columns")
    lists = column.cast(pl.List(pl.Float32))
    lengths = lists.list.len().unique().sort()
    if len(lengths) > 1:
        raise DataError(f"the vectors in {file} have different lengths, from {lengths[0]} to {lengths[-1]}; make them equal")
    width = int(lengths[0]) if len(lengths) else 0
    return lists.cast(pl.Array(pl.Float32, width)).to_numpy().reshape(len(lists), width)
