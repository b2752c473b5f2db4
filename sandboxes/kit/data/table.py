"""A table that may be larger than memory, read one column at a time, in blocks of rows. Notation: n rows, B rows of a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

BLOCK = 1 << 18  # rows in memory at once


@dataclass(frozen=True)
class Table:
    """`frame` is held in memory, or a scan of a Parquet file, which keeps its rows in order and its columns apart. Columns that
    were derived from it lie `beside` it, each in a file of its own."""

    frame: pl.LazyFrame | pl.DataFrame
    beside: Mapping[str, pl.LazyFrame] = field(default_factory=dict)

    def blocks(self, name: str) -> Iterator[pl.Series]:
        """The column `name` from top to bottom, (B,) at a time."""
        one = self.beside.get(name, self.frame).select(name)
        if isinstance(one, pl.DataFrame):
            parts = one.iter_slices(BLOCK)
        else:
            parts = one.collect_batches(chunk_size=BLOCK, maintain_order=True)
        for part in parts:
            if part.height:
                yield part.to_series()

    def column(self, name: str) -> pl.Series:
        """All of the column `name` (n,), in memory."""
        return self.beside.get(name, self.frame).lazy().select(name).collect().to_series()

    def dtype(self, name: str) -> pl.DataType:
        return self.beside.get(name, self.frame).select(name).collect_schema()[name]

    def with_column(self, column: pl.Series, file: Path) -> Table:
        """The table with one more column (n,), which is written to `file`."""
        column.to_frame().write_parquet(file, compression="lz4", statistics=False)
        return replace(self, beside={**self.beside, column.name: pl.scan_parquet(file, glob=False)})
