"""Reads a split of prepared data as memory-mapped arrays; used inside the sandbox, so it needs nothing but NumPy and torch.

Notation: n rows, B rows asked for, C categorical fields, N numeric fields, L history length, T tasks, T' of them delayed,
M vector fields.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from sandboxes.kit.batch import Batch
from sandboxes.kit.ranking import Answers, ItemLists
from sandboxes.kit.schema import Schema
from sandboxes.kit.vector_table import VectorTable

Lists = TypeVar("Lists", bound=ItemLists)
MANY_ROWS = 2048  # of a slice; smaller ones leave pages where they are


@dataclass(frozen=True)
class ArrayRows:
    """The rows of one split, on disk until asked for. `labels` is (n, T) float32, NaN = unobserved; None where hidden.

    `order` has the numbers of train rows in order of time, where that is known.
    `elapsed` and `delay` are those of train rows, where tasks are delayed (see `Batch`).
    Where models predict items: `answers` to each query, one each in training, None where hidden; and what its user had `taken`.
    Where they predict actions: the one taken, as the `answers`, and its `propensity`; None where hidden.
    """

    ids: NDArray[np.int32]  # (n, C)
    numeric: NDArray[np.float32]  # (n, N)
    history: Mapping[str, NDArray[np.int32]]  # each (n, L)
    labels: NDArray[np.float32] | None
    answers: Answers | None = None
    taken: ItemLists | None = None
    propensity: NDArray[np.float32] | None = None  # (n,)
    elapsed: NDArray[np.float32] | None = None  # (n, T')
    delay: NDArray[np.float32] | None = None  # (n, T')
    order: NDArray[np.int64] | None = None  # (n,)
    vector_rows: NDArray[np.int32] | None = None  # (n, M), where there are any
    tables: Mapping[str, VectorTable] = field(default_factory=dict)  # M of them

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows: NDArray[np.int64] | slice) -> Batch:
        """The rows given by index (B,) int64, in that order, or by slice; ids become int64."""
        return Batch(
            ids=_taken(self.ids, rows, np.int64),  # (B, C)
            numeric=_taken(self.numeric, rows, np.float32),  # (B, N)
            history={name: _taken(array, rows, np.int64) for name, array in self.history.items()},  # each (B, L)
            labels=_taken_if_there(self.labels, rows, np.float32),  # (B, T)
            answer=_taken_if_there(self._one_each, rows, np.int64),  # (B,)
            propensity=_taken_if_there(self.propensity, rows, np.float32),  # (B,)
            elapsed=_taken_if_there(self.elapsed, rows, np.float32),  # (B, T')
            delay=_taken_if_there(self.delay, rows, np.float32),  # (B, T')
            vector_rows=self._vector_rows(rows),  # each (B,)
            tables=self.tables,
        )

    def _vector_rows(self, rows: NDArray[np.int64] | slice) -> dict[str, torch.Tensor]:
        if self.vector_rows is None:
            return {}
        return dict(zip(self.tables, _taken(self.vector_rows, rows, np.int64).unbind(1), strict=True))

    @cached_property
    def _one_each(self) -> NDArray[np.int32] | None:
        """The answers (n,), where every query has one."""
        return None if self.answers is None or len(self.answers.items) != len(self.answers) else self.answers.items


def load_split(visible: Path, split: str, tables: Mapping[str, VectorTable] | None = None) -> ArrayRows:
    """The split "train", "valid" or "test" of the prepared folder `visible`. Raises `FileNotFoundError` when it is not there.

    `tables` are those of `load_tables`, so that several splits share them, and what a device holds of them.
    """
    schema = Schema.load(visible / "schema.json")
    return ArrayRows(
        ids=_mapped(visible / f"{split}.ids.npy"),
        numeric=_mapped(visible / f"{split}.numeric.npy"),
        history={s.name: _mapped(visible / f"{split}.history.{s.name}.npy") for s in schema.sequences},
        labels=_mapped_if_there(visible / f"{split}.labels.npy"),
        answers=_lists(Answers, visible, f"{split}.answers"),
        taken=_lists(ItemLists, visible, f"{split}.taken"),
        propensity=_mapped_if_there(visible / f"{split}.propensity.npy"),
        elapsed=_mapped_if_there(visible / f"{split}.elapsed.npy"),
        delay=_mapped_if_there(visible / f"{split}.delay.npy"),
        order=_mapped_if_there(visible / f"{split}.order.npy"),
        vector_rows=_mapped(visible / f"{split}.vector_rows.npy") if schema.vectors else None,
        tables=load_tables(visible, schema) if tables is None else tables,
    )


def load_tables(visible: Path, schema: Schema) -> dict[str, VectorTable]:
    """The tables of vectors made elsewhere, memory-mapped, by the names of the vector fields, in their order."""
    # Copied where written to, which nobody does: torch would warn of arrays that cannot be.
    files = {v.name: np.load(visible / f"vectors.{v.name}.npy", mmap_mode="c", allow_pickle=False) for v in schema.vectors}
    return {name: VectorTable(torch.from_numpy(array)) for name, array in files.items()}


def _taken_if_there(array: NDArray[Any] | None, rows: NDArray[np.int64] | slice, dtype: type[np.generic]) -> torch.Tensor | None:
    return None if array is None else _taken(array, rows, dtype)


def _lists(kind: type[Lists], visible: Path, name: str) -> Lists | None:
    return kind.load(visible, name) if (visible / f"{name}.items.npy").exists() else None


def _mapped(path: Path) -> NDArray[Any]:
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def _mapped_if_there(path: Path) -> NDArray[Any] | None:
    return _mapped(path) if path.exists() else None


def _let_go(array: NDArray[Any]) -> None:
    """Takes the pages of a file that was read through out of this process: else they count as its memory until the end."""
    mapped: mmap.mmap | None = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _taken(array: NDArray[Any], rows: NDArray[np.int64] | slice, dtype: type[np.generic]) -> torch.Tensor:
    """A tensor that owns its memory, since the file stays as it is. Converted by NumPy: torch would wake its threads for it."""
    if isinstance(rows, slice):
        taken = array[rows].astype(dtype)
        if len(taken) >= MANY_ROWS:
            _let_go(array)
        return torch.from_numpy(taken)
    return torch.from_numpy(np.take(array, rows, axis=0).astype(dtype, copy=False))
