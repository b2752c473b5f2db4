"""Encoded columns to arrays of rows on disk, one per split, a block of rows in memory at a time.

Notation: n rows, B rows of a block, C categorical fields, N numeric fields, L history length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sandboxes.kit.data.column_files import NpyWriter
from sandboxes.kit.data.columns import block_sizes, token_blocks
from sandboxes.kit.data.encode import IdField, NumberField, Rows
from sandboxes.kit.data.given_sequences import encode_sequences, padded, tokens
from sandboxes.kit.data.history import history_blocks
from sandboxes.kit.data.labels import outcome_ids, said_outcomes
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.data.spec import Sequence, TableSpec
from sandboxes.kit.data.table import BLOCK, Table
from sandboxes.kit.data.vectors import WrittenVectors
from sandboxes.kit.schema import UNKNOWN_ID

ROWS = 1 << 16  # in memory at once, with all their columns

Array = NDArray[Any]
Kept = Seq[NDArray[np.intp]]  # row numbers, ascending, within train, then within valid


def write_ids(rows: Rows, ids: Mapping[str, IdField], visible: Path, kept: Kept) -> tuple[list[Array], Array]:
    """Writes {split}.ids.npy (n, C) int32. Returns the rows `kept`, and how many unknown ids each split has of each field."""
    columns = [map(f.ids, f.coded.codes.blocks(block_sizes(len(rows), ROWS))) for f in ids.values()]
    unknown = np.zeros((len(SPLITS), len(columns)), dtype=np.int64)

    def counted() -> Iterator[Array]:
        at = 0
        for block in _stacked(columns, len(rows), np.int32):
            for code in range(len(SPLITS)):
                unknown[code] += ((block == UNKNOWN_ID) & (rows.codes[at : at + len(block), None] == code)).sum(axis=0)
            at += len(block)
            yield block

    return _written(visible, "ids", len(columns), np.int32, counted(), rows, kept), unknown


def write_numbers(rows: Rows, numbers: Mapping[str, NumberField], visible: Path, kept: Kept) -> list[Array]:
    """Writes {split}.numeric.npy (n, N) float32. Returns the rows `kept`."""
    columns = [map(f.scaler.apply, f.values.blocks(block_sizes(len(rows), ROWS))) for f in numbers.values()]
    return _written(visible, "numeric", len(columns), np.float32, _stacked(columns, len(rows), np.float32), rows, kept)


def write_vector_rows(rows: Rows, vectors: Mapping[str, WrittenVectors], visible: Path) -> None:
    """Writes {split}.vector_rows.npy (n, M) int32 for M vector fields: the row of its table that each row's value has."""
    columns = [map(v.rows, v.coded.codes.blocks(block_sizes(len(rows), ROWS))) for v in vectors.values()]
    _written(visible, "vector_rows", len(columns), np.int32, _stacked(columns, len(rows), np.int32), rows)


def write_sequences(spec: TableSpec, table: Table, rows: Rows, ids: Mapping[str, IdField], visible: Path) -> None:
    """Writes {split}.history.{name}.npy (n, L) int32."""
    for s in spec.sequences:
        if s.column:
            blocks = _given_values(s, rows, ids[s.of]) if s.of in ids else _given_outcomes(spec, s, table)
            _written(visible, f"history.{s.name}", s.length, np.int32, blocks, rows)
        else:
            own = _own_values(rows, ids[s.of]) if s.of in ids else outcome_ids(rows.labels[:, spec.task_index(s.of)])
            _write_built(spec, s, rows, own, visible)


def _given_values(sequence: Sequence, rows: Rows, field: IdField) -> Iterator[Array]:
    for counts, codes in token_blocks(field.coded.sequences[sequence.name], len(rows), ROWS):
        yield padded(field.ids(codes), counts, sequence.length)


def _given_outcomes(spec: TableSpec, sequence: Sequence, table: Table) -> Iterator[Array]:
    encode = partial(said_outcomes, spec.tasks[spec.task_index(sequence.of)])
    for block in table.blocks(sequence.column):
        yield encode_sequences(tokens(block, sequence.separator), encode, sequence.length)


def _own_values(rows: Rows, field: IdField) -> NDArray[np.int32]:
    """Every row's own value (n,) of the field."""
    ids = np.empty(len(rows), dtype=np.int32)
    for at, codes in zip(range(0, len(rows), BLOCK), field.coded.codes.blocks(block_sizes(len(rows), BLOCK)), strict=True):
        ids[at : at + BLOCK] = field.ids(codes)
    return ids


def _write_built(spec: TableSpec, sequence: Sequence, rows: Rows, ids: NDArray[np.int32], visible: Path) -> None:
    """The history of what is each row's own (n,)."""
    assert rows.users is not None and rows.times is not None
    feeds = np.ones(len(rows), dtype=np.bool_)
    if sequence.where:
        feeds = rows.labels[:, spec.task_index(sequence.where)] == 1
    with ExitStack() as closed:
        writers = _writers(closed, visible, f"history.{sequence.name}", sequence.length, np.int32, rows)
        for asked, block in history_blocks(rows.users, rows.times, ids, feeds, rows.codes, sequence.length):
            for code, writer in enumerate(writers):
                writer.append(block[rows.codes[asked] == code])


def _written(
    visible: Path, name: str, width: int, dtype: DTypeLike, blocks: Iterable[Array], rows: Rows, kept: Kept = ()
) -> list[Array]:
    """Writes blocks (B, width) of all rows to one file per split; returns the rows `kept` of the first splits."""
    found: list[list[Array]] = [[] for _ in kept]
    done, at = [0] * len(SPLITS), 0
    with ExitStack() as closed:
        writers = _writers(closed, visible, name, width, dtype, rows)
        for block in blocks:
            for code, writer in enumerate(writers):
                part = block[rows.codes[at : at + len(block)] == code]
                writer.append(part)
                if code < len(kept):
                    first, last = np.searchsorted(kept[code], [done[code], done[code] + len(part)])
                    found[code].append(part[kept[code][first:last] - done[code]])
                done[code] += len(part)
            at += len(block)
    return [np.concatenate(parts) for parts in found]


def _writers(closed: ExitStack, visible: Path, name: str, width: int, dtype: DTypeLike, rows: Rows) -> list[NpyWriter]:
    """One per split; `closed` closes them."""
    files = zip(SPLITS, rows.sizes(), strict=True)
    return [closed.enter_context(NpyWriter(visible / f"{split}.{name}.npy", dtype, (n, width))) for split, n in files]


def _stacked(columns: Seq[Iterator[Array]], n: int, dtype: DTypeLike) -> Iterator[Array]:
    """Blocks of columns (B,) as blocks of rows (B, len(columns))."""
    for size in block_sizes(n, ROWS):
        block = np.empty((size, len(columns)), dtype)
        for c, column in enumerate(columns):
            block[:, c] = next(column)
        yield block
