"""Encodes new rows as a prepared data set's own rows were: by its vocabularies, transforms and histories, none fitted anew.

Notation: B rows, C categorical fields, N numeric fields, L history length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.data.arrays import load_tables
from sandboxes.kit.data.derived_rows import DerivedColumns
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.given_sequences import encode_sequences, tokens
from sandboxes.kit.data.hashed import Buckets
from sandboxes.kit.data.labels import said_outcomes
from sandboxes.kit.data.numbers import Scaler
from sandboxes.kit.data.prepared import Prepared
from sandboxes.kit.data.raw_columns import as_text, numbers_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Vectors
from sandboxes.kit.data.vector_rows import rows_of
from sandboxes.kit.data.vocabulary import Vocabulary
from sandboxes.kit.features import transform_of
from sandboxes.kit.schema import PADDING_ID, Schema
from sandboxes.kit.vector_table import VectorTable


@dataclass(frozen=True)
class Encoders:
    """What turns a table's raw columns into a batch. What says something of the item is `empty` where
    items or actions are predicted.
    Values that train did not teach have the vectors of the file that the data was prepared with, if they stood there.

    `dtypes` names the Polars type that each column had when the data was prepared: a whole number that arrives as 5.0,
    since some tables cannot hold an integer beside a missing value, is still the category 5.
    """

    categorical: tuple[Categorical, ...]
    numeric: tuple[Numeric, ...]
    sequences: tuple[Sequence, ...]
    vocabularies: Mapping[str, Vocabulary | Buckets]
    tasks: Mapping[str, Label]
    scalers: Mapping[str, Scaler]
    dtypes: Mapping[str, str]
    empty: frozenset[str] = frozenset()
    vectors: tuple[Vectors, ...] = ()
    beyond: Mapping[str, Vocabulary] = field(default_factory=dict)  # values with vectors that train did not teach
    tables: Mapping[str, VectorTable] = field(default_factory=dict)
    derived: DerivedColumns = field(default_factory=DerivedColumns)

    @classmethod
    def of(cls, prepared: Prepared) -> Encoders:
        """The encoders that `prepared` keeps. Raises `DataError` when its folder lacks them."""
        settings = prepared.settings
        file = prepared.root / "vocabularies.parquet"
        categorical = tuple(Categorical(**c) for c in settings["categorical"])
        fitted = [c for c in categorical if not c.hash_buckets]
        if fitted and not file.is_file():
            raise DataError(f"{prepared.root} has lost its vocabularies; delete the folder and prepare {prepared.name} again")
        known = pl.read_parquet(file) if fitted else pl.DataFrame(schema={"field": pl.String, "id": pl.Int32, "value": pl.String})
        return cls(
            categorical=categorical,
            numeric=tuple(Numeric(**n) for n in settings["numeric"]),
            sequences=tuple(Sequence(**s) for s in settings["sequences"]),
            vocabularies={c.name: _vocabulary(c, known) for c in categorical},
            tasks={t["name"]: Label(**t) for t in settings["tasks"]},
            scalers={name: Scaler(**s) for name, s in settings["scalers"].items()},
            dtypes=settings["dtypes"],
            empty=frozenset(_item_side(prepared.schema) if prepared.schema.scores_items else ()),
            vectors=(vectors := tuple(Vectors(**v) for v in settings.get("vectors", ()))),
            beyond={v.name: _values(v.name, known) for v in vectors},
            tables=load_tables(prepared.visible, prepared.schema),
            derived=DerivedColumns.open(tuple(map(transform_of, settings.get("derived", ()))), settings["dtypes"], prepared.root),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's columns that a row must have, each once."""
        named = [(c.name, c.column) for c in self.categorical] + [(n.name, n.column) for n in self.numeric]
        read = [column or name for name, column in named if name not in self.empty]
        return tuple(c for c in dict.fromkeys((*read, *self.derived.inputs)) if c not in self.derived.names)

    @property
    def history_columns(self) -> tuple[str, ...]:
        """Columns of histories; a row without one has an empty history. One built from a log in preparation is given as a
        list, or as text separated by its separator, under the history's own name. Outcomes are said as in the label's column."""
        return tuple(s.column or s.name for s in self.sequences)

    def encode(self, table: pl.DataFrame) -> Batch:
        """The rows of `table` as a batch without labels. Raises `DataError` for a missing column or text that is no number."""
        missing = [c for c in self.columns if c not in table.columns]
        if missing:
            raise DataError(f"the rows have no column {', '.join(map(repr, missing))}; they need {', '.join(self.columns)}")
        table = self.derived.add(table)
        ids = {c.name: self._ids(c, table) for c in self.categorical}
        histories = {s.name: self._history(s, table) for s in self.sequences}  # each (B, L)
        own = {s.name: ids[s.of] for s in self.sequences if s.of in ids}
        numeric = [self._numbers(n, table, lambda name: self.derived.measure(name, histories, own)) for n in self.numeric]
        return Batch(
            ids=_stacked(list(ids.values()), table.height, np.int64),  # (B, C)
            numeric=_stacked(numeric, table.height, np.float32),  # (B, N)
            history={name: torch.from_numpy(history.astype(np.int64)) for name, history in histories.items()},
            vector_rows={v.name: torch.from_numpy(self._vector_rows(v, table).astype(np.int64)) for v in self.vectors},  # (B,)
            tables=self.tables,
        )

    def _vector_rows(self, vectors: Vectors, table: pl.DataFrame) -> NDArray[np.int32]:
        of = next(c for c in self.categorical if c.name == vectors.of)
        ids, vocabulary = self._ids(of, table), self.vocabularies[of.name]
        if of.name in self.empty:
            return ids
        return rows_of(ids, self._texts(of, table), self.beyond[vectors.name], vocabulary.cardinality)

    def _numbers(self, field: Numeric, table: pl.DataFrame, measured: Callable[[str], pl.Series]) -> NDArray[np.float32]:
        if field.name in self.empty:
            return np.zeros(table.height, dtype=np.float32)
        column = field.column or field.name
        return self.scalers[field.name].apply(numbers_of(table[column] if column in table.columns else measured(column)))

    def _ids(self, field: Categorical, table: pl.DataFrame) -> NDArray[np.int32]:
        if field.name in self.empty:
            return np.full(table.height, PADDING_ID, dtype=np.int32)
        return self.vocabularies[field.name].encode(self._texts(field, table))

    def _texts(self, field: Categorical, table: pl.DataFrame) -> pl.Series:
        column = field.column or field.name
        return as_text(table[column], self.dtypes.get(column, "String"))

    def _history(self, sequence: Sequence, table: pl.DataFrame) -> NDArray[np.int32]:
        column = sequence.column or sequence.name
        if column not in table.columns or table[column].dtype == pl.Null:
            return np.zeros((table.height, sequence.length), dtype=np.int32)
        values = self.vocabularies.get(sequence.of)
        encode = values.encode if values is not None else partial(said_outcomes, self.tasks[sequence.of])
        return encode_sequences(tokens(table[column], sequence.separator), encode, sequence.length)


def _item_side(schema: Schema) -> list[str]:
    of_ids, of_numeric = schema.item_columns
    return [*(schema.categorical[i].name for i in of_ids), *(schema.numeric[i].name for i in of_numeric)]


def _vocabulary(field: Categorical, known: pl.DataFrame) -> Vocabulary | Buckets:
    if field.hash_buckets:
        return Buckets(field.hash_buckets)
    return _values(field.shares or field.name, known)


def _values(name: str, known: pl.DataFrame) -> Vocabulary:
    return Vocabulary(known.filter(pl.col("field") == name).sort("id")["value"])


def _stacked(columns: list[NDArray[np.int32]] | list[NDArray[np.float32]], rows: int, dtype: type[np.generic]) -> Tensor:
    if not columns:
        return torch.from_numpy(np.zeros((rows, 0), dtype))
    return torch.from_numpy(np.stack(columns, axis=1).astype(dtype))
