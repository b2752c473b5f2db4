"""Vectors made elsewhere as one table on disk: a row for each id of their field, then one for each value beyond train's.

So a value that train does not teach, whose id is unknown, is still known by its vector: rows of the data name rows of the table.
Notation: V ids of the field, K values with a vector in the file, W numbers of each, n rows of the data, M vector fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.columns import CodedField
from sandboxes.kit.data.encode import IdField
from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.raw_columns import as_text
from sandboxes.kit.data.source import GivenVectors
from sandboxes.kit.data.vector_rows import rows_of
from sandboxes.kit.data.vocabulary import Vocabulary
from sandboxes.kit.schema import FIRST_ID

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class WrittenVectors:
    """A table that was written: the `width` of its rows, which of them hold a vector, and the row of each code of the field."""

    coded: CodedField
    width: int
    known: NDArray[np.bool_]
    of_code: NDArray[np.int32]

    def rows(self, codes: NDArray[np.uint32]) -> NDArray[np.int32]:
        """The rows of the table (n,) of codes (n,)."""
        return self.of_code[codes]


def write_vectors(name: str, given: GivenVectors, dtype: str, field: IdField, visible: Path, vocabulary: Path) -> WrittenVectors:
    """Writes vectors.{name}.npy (V + K', W + 1) float32 for K' values that are not train's, whose texts go to the file
    `vocabulary` as `encode.join_vocabularies` takes them.

    Of the values that train teaches, vectors have a mean of 0, and their numbers, all together, a variance of 1: every vector is
    moved by their mean and divided by one number. `dtype` is the Polars type of the field's column. Raises `DataError`.
    """
    assert field.of_code is not None  # a field with vectors has no buckets
    texts, vectors = _checked(name, given, dtype)
    meanings = field.coded.meanings()
    of_train = pl.DataFrame({"value": meanings, "row": field.of_code}).filter(pl.col("row") >= FIRST_ID)
    rows = texts.to_frame("value").join(of_train, on="value", how="left", maintain_order="left")["row"]
    others = Vocabulary(texts.filter(rows.is_null()))
    if len(others.values) == len(texts):
        raise DataError(
            f"no value of the field's train rows has one of the vectors {name!r}; are its keys written as in the table?"
        )
    taken = rows.is_not_null().to_numpy()
    table = np.zeros((field.cardinality + len(others.values), vectors.shape[1] + 1), dtype=np.float32)
    at = np.where(taken, rows.fill_null(0).to_numpy(), field.cardinality + np.cumsum(~taken) - 1)
    table[at, :-1] = _standardised(vectors, vectors[taken])
    table[at, -1] = 1
    np.save(visible / f"vectors.{name}.npy", table)
    ids = np.arange(field.cardinality, len(table), dtype=np.int32)
    pl.DataFrame({"id": ids, "value": others.values}).select(pl.lit(name).alias("field"), "id", "value").write_parquet(vocabulary)
    of_code = rows_of(field.of_code, meanings, others, field.cardinality)
    return WrittenVectors(field.coded, table.shape[1], table[:, -1] == 1, of_code)


def _checked(name: str, given: GivenVectors, dtype: str) -> tuple[pl.Series, Floats]:
    """The values as texts (K,), and their vectors, all that is not null and fit to be used."""
    texts, vectors = as_text(given.values, dtype), given.vectors
    there = texts.is_not_null()
    texts, vectors = texts.filter(there), vectors[there.to_numpy()]
    if not vectors.size:
        raise DataError(f"the vectors {name!r} are none; check their file")
    twice = texts.filter(texts.is_duplicated())
    if len(twice):
        raise DataError(f"{twice[0]!r} has several of the vectors {name!r}; give one each")
    wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(wrong):
        raise DataError(f"the vector {name!r} of {texts[int(wrong[0])]!r} is not finite; leave out what has no vector")
    return texts, vectors


def _standardised(vectors: Floats, of_train: Floats) -> Floats:
    """Moved and scaled so that `of_train` has a mean of 0 and, over all its numbers, a variance of 1."""
    centre = of_train.mean(axis=0, dtype=np.float64).astype(np.float32)
    scale = np.sqrt(np.square(of_train - centre).mean(dtype=np.float64))
    standardised: Floats = (vectors - centre) / np.float32(scale if scale > 0 else 1)
    return standardised
