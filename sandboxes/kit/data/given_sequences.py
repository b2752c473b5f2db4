"""Histories that the table itself holds, as text with a separator or as lists.

Notation: n rows, E values in all rows, L history length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ids = NDArray[np.int32]


def tokens(column: pl.Series, separator: str) -> pl.Series:
    """The column's values as lists of text (n,); an empty text or a null is an empty list."""
    if isinstance(column.dtype, pl.List):
        lists = column.cast(pl.List(pl.String))
    else:
        text = column.cast(pl.String)
        lists = pl.select(pl.when(text == "").then(None).otherwise(text.str.split(separator))).to_series()
    return lists.fill_null(pl.lit([], dtype=pl.List(pl.String)))


def flattened(lists: pl.Series) -> tuple[NDArray[np.uint32], pl.Series]:
    """How many values each list has (n,), and the values of all lists one after another (E,)."""
    counts = lists.list.len()
    flat = lists.filter(counts > 0).explode() if len(lists) else pl.Series(lists.name, [], dtype=pl.String)
    return counts.cast(pl.UInt32).to_numpy(), flat


def padded(flat: Ids, counts: NDArray[np.uint32], length: int) -> Ids:
    """The last `length` ids of each list (n, L), oldest first, padded on the left; `flat` (E,) and `counts` (n,) as above."""
    whole = counts.astype(np.int64)
    ends = np.cumsum(whole)
    place = length - np.repeat(ends, whole) + np.arange(whole.sum())  # (E,) the column in the result; negative: too old
    kept = place >= 0
    result = np.zeros((len(whole), length), dtype=np.int32)
    result[np.repeat(np.arange(len(whole)), whole)[kept], place[kept]] = flat[kept]
    return result


def encode_sequences(lists: pl.Series, encode: Callable[[pl.Series], Ids], length: int) -> Ids:
    """The last `length` values of each list as ids (n, L), oldest first, padded on the left."""
    counts, flat = flattened(lists.list.tail(length))
    return padded(encode(flat), counts, length)
