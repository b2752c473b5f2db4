"""Fits vocabularies and scalers on train rows, one column at a time, to columns that lie on disk.

Notation: n rows, B rows of a block, T tasks, V distinct values of a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.column_files import Array, ColumnFile
from sandboxes.kit.data.columns import CodedField, block_sizes, token_blocks
from sandboxes.kit.data.delays import Waits
from sandboxes.kit.data.hashed import Buckets
from sandboxes.kit.data.numbers import Scaler, fit_scaler
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.raw_columns import numbers_of
from sandboxes.kit.data.side_by_side import side_by_side
from sandboxes.kit.data.spec import Categorical, Numeric, TableSpec
from sandboxes.kit.data.splits import TRAIN
from sandboxes.kit.data.table import BLOCK, Table
from sandboxes.kit.data.vocabulary import Vocabulary, fit_vocabulary
from sandboxes.kit.schema import FIRST_ID

VALUES = 1 << 20  # in memory at once when a scaler is fitted

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Rows:
    """What is known of all rows (n,) before features are encoded."""

    codes: NDArray[np.int8]  # split
    labels: NDArray[np.float32]  # (n, T)
    users: NDArray[np.int64] | None
    times: NDArray[np.float64] | None
    waits: Waits | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def sizes(self) -> list[int]:
        """Rows of each split."""
        return [int((self.codes == code).sum()) for code in range(len(SPLITS))]


@dataclass(frozen=True)
class IdField:
    """A categorical field whose ids are known: `of_code` (V,) maps its codes to them; None where the codes are the ids."""

    coded: CodedField
    cardinality: int
    of_code: Ids | None

    def ids(self, codes: NDArray[np.uint32]) -> Ids:
        """The ids (B,) of codes (B,)."""
        return codes.view(np.int32) if self.of_code is None else self.of_code[codes]


@dataclass(frozen=True)
class NumberField:
    """A numeric field: its numbers (n,) before they are scaled, and how they are."""

    values: ColumnFile
    scaler: Scaler


def fit_ids(spec: TableSpec, rows: Rows, fields: Mapping[str, CodedField], folder: Path) -> dict[str, IdField]:
    """The ids of every categorical field. Writes each vocabulary to `folder`, as {field's number}.vocabulary."""

    def one(numbered: tuple[int, Categorical]) -> IdField:
        number, field = numbered
        return _fit_ids(field, rows, fields[field.name], folder / f"{number}.vocabulary")

    numbered = [(number, c) for number, c in enumerate(spec.categorical) if not c.shares]
    found = dict(zip([c.name for _, c in numbered], side_by_side(one, numbered), strict=True))
    return {c.name: found[c.name] if not c.shares else _shared_ids(c, found, fields, folder, spec) for c in spec.categorical}


def _shared_ids(
    field: Categorical, found: Mapping[str, IdField], fields: Mapping[str, CodedField], folder: Path, spec: TableSpec
) -> IdField:
    """The ids of a field that has those of another."""
    owner, coded = found[field.shares], fields[field.name]
    if coded.texts is None or owner.of_code is None:
        raise AssertionError("a field that shares has codes, and their owner a vocabulary")
    number = [c.name for c in spec.categorical].index(field.shares)
    known = Vocabulary(pl.read_parquet(folder / f"{number}.vocabulary")["value"])
    return IdField(coded, owner.cardinality, known.encode(coded.meanings()))


def _fit_ids(field: Categorical, rows: Rows, coded: CodedField, file: Path) -> IdField:
    if field.hash_buckets:
        return IdField(coded, Buckets(field.hash_buckets).cardinality, None)
    texts = coded.meanings()
    counts = np.zeros(len(texts), dtype=np.int64)
    for train_codes in _train_codes(coded, rows, max(BLOCK, len(texts))):
        counts += np.bincount(train_codes, minlength=len(texts))
    vocabulary, of_code = fit_vocabulary(texts, counts, field.min_frequency)
    ids = np.arange(FIRST_ID, vocabulary.cardinality, dtype=np.int32)
    table = pl.DataFrame({"id": ids, "value": vocabulary.values})
    table.select(pl.lit(field.name).alias("field"), "id", "value").write_parquet(file)
    return IdField(coded, vocabulary.cardinality, of_code)


def join_vocabularies(spec: TableSpec, folder: Path, file: Path) -> None:
    """The vocabularies as one table (field, id, value), so that new rows can be encoded in the same way; of vectors, the values
    that train did not teach, with the rows of the table that hold their vectors."""
    parts = [folder / f"{number}.vocabulary" for number, c in enumerate(spec.categorical) if not (c.hash_buckets or c.shares)]
    parts += [folder / f"{v.name}.vectors" for v in spec.vectors]
    if parts:
        pl.concat([pl.scan_parquet(part, glob=False) for part in parts]).sink_parquet(file)


def _train_codes(coded: CodedField, rows: Rows, block: int) -> Iterator[NDArray[np.uint32]]:
    """The field's codes in train rows, and those of its sequences there."""
    yield from _of_train(coded.codes, rows, block)
    for tokens in coded.sequences.values():
        at = 0
        for counts, codes in token_blocks(tokens, len(rows), block):
            yield codes[np.repeat(rows.codes[at : at + len(counts)] == TRAIN, counts)]
            at += len(counts)


def fit_numbers(spec: TableSpec, table: Table, rows: Rows, folder: Path) -> dict[str, NumberField]:
    """The scalers of the numeric fields, whose numbers are written to `folder`."""

    def one(numbered: tuple[int, Numeric]) -> NumberField:
        number, field = numbered
        values = ColumnFile(folder / f"{number}.numbers", np.float64)
        for block in table.blocks(field.column or field.name):
            values.append(numbers_of(block))
        return NumberField(values, fit_scaler(_of_train(values, rows, VALUES), field.transform))

    made = side_by_side(one, list(enumerate(spec.numeric)))
    return {f.name: m for f, m in zip(spec.numeric, made, strict=True)}


def _of_train(column: ColumnFile, rows: Rows, block: int) -> Iterator[Array]:
    """The column's numbers in train rows, of so many rows at a time."""
    at = 0
    for numbers in column.blocks(block_sizes(len(rows), block)):
        yield numbers[rows.codes[at : at + len(numbers)] == TRAIN]
        at += len(numbers)
