"""A table's columns to arrays on disk, one column in memory at a time.

Notation: n rows, C categorical fields, N numeric fields, L history length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.given_sequences import encode_sequences, tokens
from sandboxes.kit.data.history import histories
from sandboxes.kit.data.numbers import Scaler, fit_scaler
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.spec import Categorical, Numeric, Sequence, TableSpec
from sandboxes.kit.data.splits import TRAIN
from sandboxes.kit.data.stable_hash import column_hashes
from sandboxes.kit.data.vocabulary import Vocabulary, fit_vocabulary


@dataclass(frozen=True)
class Rows:
    """What is known of all rows (n,) before features are encoded."""

    table: pl.LazyFrame
    codes: NDArray[np.int8]  # split
    labels: NDArray[np.float32]  # (n, T)
    users: NDArray[np.int64] | None
    times: NDArray[np.float64] | None

    def column(self, name: str) -> pl.Series:
        return self.table.select(name).collect().to_series()


def write_categorical(spec: TableSpec, rows: Rows, visible: Path) -> dict[str, Vocabulary]:
    """Writes {split}.ids.npy (n, C) int32; returns the vocabularies by field."""
    arrays = _arrays(rows, visible, "ids", len(spec.categorical), np.int32)
    vocabularies: dict[str, Vocabulary] = {}
    for c, field in enumerate(spec.categorical):
        column = rows.column(field.column or field.name).cast(pl.String)
        vocabulary = fit_vocabulary(_train_values(spec, field, rows, column), field.min_frequency)
        _fill(arrays, rows, c, vocabulary.encode(column))
        vocabularies[field.name] = vocabulary
    return vocabularies


def write_numeric(spec: TableSpec, rows: Rows, visible: Path) -> dict[str, Scaler]:
    """Writes {split}.numeric.npy (n, N) float32; returns the scalers by field."""
    arrays = _arrays(rows, visible, "numeric", len(spec.numeric), np.float32)
    scalers: dict[str, Scaler] = {}
    for c, field in enumerate(spec.numeric):
        values = numbers_of(field, rows.column(field.column or field.name))
        scaler = fit_scaler(values[rows.codes == TRAIN], field.transform)
        _fill(arrays, rows, c, scaler.apply(values))
        scalers[field.name] = scaler
    return scalers


def write_sequences(spec: TableSpec, rows: Rows, visible: Path, vocabularies: dict[str, Vocabulary]) -> None:
    """Writes {split}.history.{name}.npy (n, L) int32."""
    for sequence in spec.sequences:
        encoded = _sequence(spec, sequence, rows, vocabularies[sequence.of])
        for code, split in enumerate(SPLITS):
            np.save(visible / f"{split}.history.{sequence.name}.npy", encoded[rows.codes == code])


def user_codes(column: pl.Series) -> NDArray[np.int64]:
    """A whole number (n,) per distinct value."""
    codes: NDArray[np.int64] = np.unique(column_hashes(column), return_inverse=True)[1].astype(np.int64)
    return codes


def time_values(column: pl.Series) -> NDArray[np.float64]:
    """Times (n,) as numbers that order them; text is read as ISO dates. Raises `DataError` for what is no time."""
    if column.dtype == pl.String:
        numbers = column.cast(pl.Float64, strict=False)
        column = numbers if numbers.null_count() == 0 else column.str.to_datetime(strict=False)
    if column.dtype.is_temporal():
        column = column.cast(pl.Datetime("us")).cast(pl.Int64) if column.dtype != pl.Time else column.cast(pl.Int64)
    values = column.cast(pl.Float64).fill_nan(None)
    if values.null_count():
        raise DataError(f"{values.null_count():,} rows have no readable time in {column.name!r}; give numbers or ISO dates")
    return values.to_numpy()


def numbers_of(field: Numeric, column: pl.Series) -> NDArray[np.float64]:
    """The column (n,) as numbers, NaN = missing. Raises `DataError` for text that is none."""
    numbers = column.cast(pl.Float64, strict=False)
    text = column.filter(numbers.is_null() & column.is_not_null()).cast(pl.String).str.strip_chars()
    wrong = text.filter(text != "")
    if len(wrong):
        raise DataError(f"the numeric column {column.name!r} holds {wrong[0]!r}; make it categorical or clean it")
    return numbers.fill_null(np.nan).to_numpy()


def _train_values(spec: TableSpec, field: Categorical, rows: Rows, column: pl.Series) -> pl.Series:
    """The field's values in train, and those in train rows of the sequences that the table holds of it."""
    train = pl.Series(rows.codes == TRAIN)
    values = column.filter(train)
    for s in spec.sequences:
        if s.column and s.of == field.name:
            lists = tokens(rows.column(s.column), s.separator).filter(train)
            values = pl.concat([values, lists.filter(lists.list.len() > 0).explode().rename(values.name)])
    return values


def _sequence(spec: TableSpec, sequence: Sequence, rows: Rows, vocabulary: Vocabulary) -> NDArray[np.int32]:
    if sequence.column:
        return encode_sequences(tokens(rows.column(sequence.column), sequence.separator), vocabulary, sequence.length)
    assert rows.users is not None and rows.times is not None
    field = next(c for c in spec.categorical if c.name == sequence.of)
    ids = vocabulary.encode(rows.column(field.column or field.name).cast(pl.String))
    feeds = np.ones(len(ids), dtype=np.bool_)
    if sequence.where:
        feeds = rows.labels[:, [t.name for t in spec.tasks].index(sequence.where)] == 1
    return histories(rows.users, rows.times, ids, feeds, rows.codes, sequence.length)


def _arrays(rows: Rows, visible: Path, what: str, width: int, dtype: type[np.generic]) -> list[NDArray[np.generic]]:
    """One array (rows of the split, width) on disk per split."""
    sizes = [int((rows.codes == code).sum()) for code in range(len(SPLITS))]
    files = [visible / f"{split}.{what}.npy" for split in SPLITS]
    if width == 0:
        for file, n in zip(files, sizes, strict=True):
            np.save(file, np.zeros((n, 0), dtype))
        return []
    return [
        np.lib.format.open_memmap(file, mode="w+", dtype=dtype, shape=(n, width)) for file, n in zip(files, sizes, strict=True)
    ]


def _fill(arrays: list[NDArray[np.generic]], rows: Rows, c: int, values: NDArray[np.generic]) -> None:
    for code, array in enumerate(arrays):
        array[:, c] = values[rows.codes == code]
