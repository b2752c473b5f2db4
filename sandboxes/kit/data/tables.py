"""Reads a user's CSV, TSV and Parquet files, and makes a source of them: with a schema file, or by a guess that is stated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.guess import guess
from sandboxes.kit.data.schema_file import SchemaFile, read_schema_file
from sandboxes.kit.data.source import GivenVectors, Source, content_of
from sandboxes.kit.data.spec import Vectors
from sandboxes.kit.data.vector_files import vectors_of_arrays, vectors_of_table

TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")
FIRST_ROWS = 100_000


def source_of_file(path: Path) -> Source:
    """The source for a table or a schema file. Raises `DataError` when it cannot be read or guessed."""
    if path.suffix == ".toml":
        schema = read_schema_file(path)
        files = [file for part in schema.files.values() for file in part]
        files += schema.vector_files.values()
        return Source(
            spec=schema.spec,
            read=partial(_of_schema, schema),
            content=content_of(files),
            provenance=schema.provenance or f"described by {path.name}",
            licence=schema.licence,
            vectors={v.name: partial(read_vectors, schema, v) for v in schema.spec.vectors},
        )
    table = read_table(path)
    with _readable(path):
        guessed = guess(table, path)
    return Source(guessed.spec, lambda: table, content_of([path]), f"{path.name}; {guessed.said}")


def read_table(path: Path, separator: str = "") -> pl.LazyFrame:
    """The table in a .csv, .tsv (both also .gz) or .parquet file. Raises `DataError` for what cannot be read."""
    if not path.name.lower().endswith(TABLES):
        raise DataError(f"{path.name} is no table that can be read; give one of {', '.join(TABLES)}, or a .toml schema file")
    with _readable(path):
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pl.scan_parquet(path, glob=False)
        else:
            frame = _scan_text(path, separator or ("\t" if ".tsv" in path.suffixes else ","))
        frame.collect_schema()
    return frame


def _scan_text(path: Path, separator: str) -> pl.LazyFrame:
    """With the types that all rows together have. They are guessed from the first rows, and the others are read to see that
    they fit: Polars' own look at all rows holds the file in memory and takes many times as long."""
    frame = pl.scan_csv(path, separator=separator, infer_schema_length=FIRST_ROWS, glob=False)
    nulls = pl.all().null_count()
    try:
        begun = frame.head(FIRST_ROWS).select(nulls < pl.len()).collect()
        if all(column.all() for column in begun.get_columns()):  # a column without any value so far has no type yet
            frame.select(nulls).collect(engine="streaming")
            return frame
    except pl.exceptions.ComputeError:
        pass
    return pl.scan_csv(path, separator=separator, infer_schema_length=None, glob=False)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turns a fault in reading the table at `path` into a `DataError`."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} cannot be read as a table: {str(error).strip().partition(chr(10))[0]}") from None


def _of_schema(schema: SchemaFile) -> pl.LazyFrame:
    """All files of the schema as one table, with a column of the split where files are given per split."""
    parts = []
    for split, files in schema.files.items():
        table = _together([read_table(file, schema.separator) for file in files])
        parts.append(table.with_columns(pl.lit(split).alias(schema.spec.split.column)) if split else table)
    return _together(parts)


def _together(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    if len(frames) == 1:
        return frames[0]
    return pl.concat(frames, how="diagonal_relaxed")


def read_vectors(schema: SchemaFile, said: Vectors) -> GivenVectors:
    """The vectors that the schema's entry `said` speaks of. Raises `DataError` for a file that does not hold what it says."""
    file = schema.vector_files[said.name]
    if file.suffix == ".npz":
        return vectors_of_arrays(file)
    with _readable(file):
        table = read_table(file, schema.separator).collect()
    return vectors_of_table(said, said.key or schema.spec.column_of(said.of), table, file)
