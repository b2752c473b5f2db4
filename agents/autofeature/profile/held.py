"""The table while it is profiled: scanned in passes where it is large, with an even sample of rows in memory.

Notation: n rows of the table, S rows of the sample.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.data.table import Table

SAMPLE = 200_000  # rows: an AUC of these is known to about 0.002, and all of it together takes a second or two
GOLDEN = 0x9E3779B97F4A7C15  # multiples of the golden ratio, modulo 1, are spread evenly over any stretch of rows


@dataclass(frozen=True)
class Held:
    """`frame` has n `rows`; `sample` (S) has those at the ascending `positions` (S,)."""

    spec: TableSpec
    frame: pl.LazyFrame
    schema: dict[str, pl.DataType]
    rows: int
    sample: pl.DataFrame
    positions: NDArray[np.int64]
    dropped: tuple[str, ...]

    @property
    def table(self) -> Table:
        return Table(self.frame)


@contextmanager
def held(source: Source, most: int = SAMPLE) -> Iterator[Held]:
    """Reads the table; what is lazy, and no plain scan of a Parquet file, is written to disk once. Raises `DataError` where it
    cannot be read, or lacks a column that the description names."""
    with tempfile.TemporaryDirectory(prefix="profile-", ignore_cleanup_errors=True) as folder:
        try:
            frame, dropped = _plain(source)
            if not _cheap(frame):
                frame.sink_parquet(Path(folder) / "table.parquet", compression="lz4", statistics=False)
                frame = pl.scan_parquet(Path(folder) / "table.parquet")
            rows = int(frame.select(pl.len()).collect(engine="streaming").item())
            sample, positions = _sample(frame, rows, most)
        except (pl.exceptions.PolarsError, OSError) as error:
            said = str(error).strip().partition("\n")[0]
            raise DataError(f"{source.spec.name}: the table cannot be read ({said}); check the files") from None
        schema = dict(frame.collect_schema())
        yield Held(source.spec, frame, schema, rows, sample, positions, dropped)


def _plain(source: Source) -> tuple[pl.LazyFrame, tuple[str, ...]]:
    """The table without columns of Python objects, which nothing here can compare; extended types as what they are stored as."""
    frame = source.read().lazy()
    schema = frame.collect_schema()
    missing = [c for c in source.spec.columns if c not in schema]
    if missing:
        raise DataError(
            f"{source.spec.name}: the table has no column {missing[0]!r}; it has {', '.join(map(repr, schema.names()))}"
        )
    objects = tuple(c for c, dtype in schema.items() if dtype == pl.Object)
    extended = [c for c, dtype in schema.items() if dtype.is_extension()]
    return frame.drop(objects).with_columns(pl.col(c).ext.storage() for c in extended), objects


def _cheap(frame: pl.LazyFrame) -> bool:
    """Whether single columns of the frame can be read again and again: it is in memory, or one Parquet file."""
    plan = frame.explain().lstrip()
    return plan.startswith(("DF [", "Parquet SCAN ["))


def _sample(frame: pl.LazyFrame, rows: int, most: int) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    if rows <= most:
        return frame.collect(engine="streaming"), np.arange(rows)
    index = "row"
    while index in frame.collect_schema():
        index += "_"
    bits = pl.col(index).cast(pl.UInt64) * pl.lit(GOLDEN, dtype=pl.UInt64)  # overflow is the modulo
    border = int(2**64 * (most / rows))
    taken = frame.with_row_index(index).filter(bits < pl.lit(border, dtype=pl.UInt64)).collect(engine="streaming")
    taken = taken.sort(index)
    return taken.drop(index), taken[index].cast(pl.Int64).to_numpy()
