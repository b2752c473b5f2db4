"""The first pass over a table: categories become whole numbers on disk, and rows get a hash of all their values.

One column, or its distinct texts, is in memory at a time, and 8 bytes a row for the hashes.
Notation: n rows, B rows of a block, V distinct texts, E values of a sequence in all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.column_files import ColumnFile
from sandboxes.kit.data.dictionary import Dictionary
from sandboxes.kit.data.given_sequences import flattened, tokens
from sandboxes.kit.data.hashed import Buckets
from sandboxes.kit.data.side_by_side import side_by_side
from sandboxes.kit.data.spec import Categorical, Sequence, TableSpec
from sandboxes.kit.data.stable_hash import Hashes, column_hashes, fold, hashes_by_value, text_hashes
from sandboxes.kit.data.table import BLOCK, Table


@dataclass(frozen=True)
class Tokens:
    """A sequence's values: `counts` (n,) of them in each row, `codes` (E,) one row after another."""

    counts: ColumnFile
    codes: ColumnFile


@dataclass(frozen=True)
class CodedField:
    """A categorical field's `codes` (n,), and those of the sequences of it that the table holds.

    `texts` is a Parquet file of what the codes stand for; None where a hash has made ids of them already.
    """

    codes: ColumnFile
    texts: Path | None
    sequences: Mapping[str, Tokens] = field(default_factory=dict)

    def meanings(self) -> pl.Series:
        """What each code stands for (V,), null first."""
        assert self.texts is not None
        return pl.read_parquet(self.texts).to_series()


def code_fields(fields: Seq[Categorical], sequences: Seq[Sequence], table: Table, folder: Path) -> dict[str, CodedField]:
    """Categorical fields, and those of the sequences of them that the table holds, coded into files in `folder`."""

    def one(field: Categorical) -> CodedField:
        own = [s for s in sequences if s.column and s.of == field.name]
        return _coded(field, own, table, folder / f"{text_hashes(pl.Series([field.name]))[0]:x}.field")

    return dict(zip([f.name for f in fields], side_by_side(one, list(fields)), strict=True))


def whole_row_hashes(spec: TableSpec, table: Table, fields: Mapping[str, CodedField], n: int) -> Hashes:
    """A hash (n,) of each row: of every column that is read, but for one that only names the split."""
    by_column = {c.column or c.name: fields[c.name] for c in spec.categorical if c.name in fields and fields[c.name].texts}
    total = np.zeros(n, dtype=np.uint64)
    for name in spec.columns:
        if spec.split.by == "given" and name == spec.split.column:
            continue
        by_text = name in by_column and not hashes_by_value(table.dtype(name))
        hashed = _by_distinct_text(by_column[name], n) if by_text else map(column_hashes, table.blocks(name))
        _fold_in(total, hashed)
    return total


def key_hashes(table: Table, key: tuple[str, ...], n: int) -> Hashes:
    """A hash (n,) of the columns `key` of each row."""
    total = np.zeros(n, dtype=np.uint64)
    for name in key:
        _fold_in(total, map(column_hashes, table.blocks(name)))
    return total


def block_sizes(n: int, block: int) -> Iterator[int]:
    """The sizes of the blocks that n rows make."""
    return (min(block, n - start) for start in range(0, n, block))


def token_blocks(tokens: Tokens, n: int, block: int) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32]]]:
    """Of so many rows at a time, the counts (B,) and all codes."""
    sums = (int(c.sum(dtype=np.int64)) for c in tokens.counts.blocks(block_sizes(n, block)))
    yield from zip(tokens.counts.blocks(block_sizes(n, block)), tokens.codes.blocks(sums), strict=True)


def _coded(field: Categorical, sequences: Seq[Sequence], table: Table, stem: Path) -> CodedField:
    column = field.column or field.name
    dictionary = None if field.hash_buckets else Dictionary()
    encode = dictionary.encode if dictionary else Buckets(field.hash_buckets).encode
    codes = ColumnFile(stem.with_suffix(".codes"), np.uint32)
    for block in table.blocks(column):
        codes.append(encode(block.cast(pl.String)))
    made = {s.name: _tokens(s, table, encode, stem.with_suffix(f".sequence{i}")) for i, s in enumerate(sequences)}
    if dictionary is None:
        return CodedField(codes, None, made)
    texts = stem.with_suffix(".texts")
    dictionary.texts().to_frame().write_parquet(texts, compression="lz4", statistics=False)
    return CodedField(codes, texts, made)


def _tokens(sequence: Sequence, table: Table, encode: Callable[[pl.Series], NDArray[Any]], stem: Path) -> Tokens:
    made = Tokens(ColumnFile(Path(f"{stem}.counts"), np.uint32), ColumnFile(Path(f"{stem}.codes"), np.uint32))
    for block in table.blocks(sequence.column):
        counts, flat = flattened(tokens(block, sequence.separator))
        made.counts.append(counts)
        made.codes.append(encode(flat))
    return made


def _by_distinct_text(coded: CodedField, n: int) -> Iterator[Hashes]:
    """The column's hashes, every text hashed once."""
    of_code = text_hashes(coded.meanings())
    return (of_code[codes] for codes in coded.codes.blocks(block_sizes(n, BLOCK)))


def _fold_in(total: Hashes, blocks: Iterable[Hashes]) -> None:
    at = 0
    for hashed in blocks:
        fold(total[at : at + len(hashed)], hashed)
        at += len(hashed)
