"""A table that may be larger than memory, read one column at a time, in blocks of rows. Notation: n rows, B rows of a block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

BLOCK = 1 << 18  # rows in memory at once


@dataclass(frozen=True)
class Table:
    """`frame` is held in memory, or a scan of a Parquet file, which keeps its rows in order and its columns apart."""

    frame: pl.LazyFrame | pl.DataFrame

    def blocks(self, name: str) -> Iterator[pl.Series]:
        """The column `name` from top to bottom, (B,) at a time."""
        one = self.frame.select(name)
        if isinstance(one, pl.DataFrame):
            parts = one.iter_slices(BLOCK)
        else:
            parts = one.collect_batches(chunk_size=BLOCK, maintain_order=True)
        for part in parts:
            if part.height:
                yield part.to_series()

    def dtype(self, name: str) -> pl.DataType:
        return self.frame.select(name).collect_schema()[name]
