"""Derived columns of new rows, made by what the transforms learned when the data was prepared. Notation: n rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.raw_columns import as_text, numbers_of
from sandboxes.kit.data.users_and_times import moments
from sandboxes.kit.features import AnyTransform, Kind, OfHistory, State

FOLDER = "features"  # of a prepared data set, and of a served model


@dataclass(frozen=True)
class DerivedColumns:
    """The transforms of a description, in its order, and what each has learned. `dtypes` are those of the table's columns."""

    transforms: tuple[AnyTransform, ...] = ()
    states: Mapping[str, State] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, transforms: tuple[AnyTransform, ...], dtypes: Mapping[str, str], root: Path) -> DerivedColumns:
        """Those of the prepared data set in `root`. Raises `DataError` when its folder has lost what was learned."""
        return cls(transforms, {d.name: _load_state(root / FOLDER, d.name) for d in transforms}, dtypes)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(d.name for d in self.transforms)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The table's columns that they are made of, each once."""
        named = [name for d in self.transforms for name in d.inputs]
        return tuple(name for name in dict.fromkeys(named) if name not in self.names)

    def add(self, table: pl.DataFrame) -> pl.DataFrame:
        """The table (n rows) with the derived columns that need no encoded rows."""
        for d in self.transforms:
            if isinstance(d, OfHistory):
                continue
            wanted = [as_wanted(table[name], kind, self.dtypes.get(name, "")) for name, kind in d.inputs.items()]
            table = table.with_columns(d.apply(pl.DataFrame(wanted), self.states[d.name]).alias(d.name))
        return table

    def measure(self, name: str, histories: Mapping[str, NDArray[np.int32]], own: Mapping[str, NDArray[np.int32]]) -> pl.Series:
        """The derived column `name` (n,) of encoded rows: histories (n, L) by name, and the rows' own ids (n,) by history."""
        d = next(d for d in self.transforms if d.name == name)
        assert isinstance(d, OfHistory)
        return pl.Series(name, d.measure(histories[d.of], own[d.of]))


def as_wanted(column: pl.Series, kind: Kind, dtype: str) -> pl.Series:
    """The column (n,) as a transform wants it, if its values were those of a column of the Polars type `dtype`."""
    if isinstance(column.dtype, pl.List | pl.Array | pl.Struct):
        raise DataError(
            f"the column {column.name!r} holds {column.dtype}, of which no feature can be derived; name it a sequence"
        )
    if kind == "text":
        return as_text(column, dtype).alias(column.name)
    values = moments(column) if kind == "time" else numbers_of(column)
    return pl.Series(column.name, values)


def save_state(folder: Path, name: str, state: State) -> None:
    """One row, of a list for each series. Of a transform that learns nothing, no file."""
    if state:
        folder.mkdir(exist_ok=True)
        pl.DataFrame({key: [values] for key, values in state.items()}).write_parquet(folder / f"{name}.parquet")


def _load_state(folder: Path, name: str) -> State:
    file = folder / f"{name}.parquet"
    if not file.is_file():
        return {}
    kept = pl.read_parquet(file)
    return {key: kept[key][0] for key in kept.columns}
