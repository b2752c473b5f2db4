"""Values of one or several columns as one text, by which rows are grouped. Notation: n rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

BETWEEN = "\x1f"  # the unit separator: text does not hold it
NOTHING = "\x00"  # what stands for null, so that a null is a value


def joined(columns: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """The texts (n,), equal where all the columns are; of a single column its own values, but for null."""
    texts = [pl.col(name).fill_null(NOTHING) for name in names]
    return columns.select(pl.concat_str(texts, separator=BETWEEN).alias("key")).to_series()
