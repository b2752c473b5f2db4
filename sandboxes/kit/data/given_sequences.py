"""Histories that the table itself holds, as text with a separator or as lists. Notation: n rows, L history length."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.vocabulary import Vocabulary


def tokens(column: pl.Series, separator: str) -> pl.Series:
    """The column's values as lists of text (n,); an empty text or a null is an empty list."""
    if isinstance(column.dtype, pl.List):
        lists = column.cast(pl.List(pl.String))
    else:
        text = column.cast(pl.String)
        lists = pl.select(pl.when(text == "").then(None).otherwise(text.str.split(separator))).to_series()
    return lists.fill_null(pl.lit([], dtype=pl.List(pl.String)))


def encode_sequences(lists: pl.Series, vocabulary: Vocabulary, length: int) -> NDArray[np.int32]:
    """The last `length` values of each list as ids (n, L), oldest first, padded on the left."""
    last = lists.list.tail(length)
    counts = last.list.len().to_numpy().astype(np.int64)
    flat = last.filter(pl.Series(counts > 0)).explode() if len(last) else pl.Series([], dtype=pl.String)
    rows = np.repeat(np.arange(len(lists)), counts)
    ends = np.cumsum(counts)
    within = np.arange(counts.sum()) - np.repeat(ends - counts, counts)  # position in its own list
    result = np.zeros((len(lists), length), dtype=np.int32)
    result[rows, np.repeat(length - counts, counts) + within] = vocabulary.encode(flat)
    return result
