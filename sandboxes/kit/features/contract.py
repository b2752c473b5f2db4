"""What a derived feature is: a column made of others, fitted on train rows only, and made in the same way of new rows.

A transform is a frozen dataclass, so that it can be written in a schema file, kept with the data and exported with a model. What
it learned is its state: named series, of any lengths. Notation: n rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.stable_hash import fraction_of, mixed

Kind = Literal["text", "number", "time"]  # how a transform wants a column: String; Float64, NaN = missing; Float64
State = Mapping[str, pl.Series]


@dataclass(frozen=True)
class Log:
    """What a transform may learn from: `columns` (n, k) of all rows as it wants them, and which rows are `train` (n,).

    `labels` (n,) of its task, NaN = not observed; `times` (n,) where the table knows any.
    Nothing that `fit` returns may depend on a row that is not of train.
    """

    columns: pl.DataFrame
    train: NDArray[np.bool_]
    labels: NDArray[np.float32] | None = None
    times: NDArray[np.float64] | None = None

    @property
    def of_train(self) -> pl.DataFrame:
        return self.columns.filter(pl.Series(self.train))

    def folds(self, count: int) -> NDArray[np.int64]:
        """Which of `count` folds each row (n,) is in: drawn by its place in the table, since what a row holds, label included,
        must not say which rows it is held apart from."""
        drawn = fraction_of(mixed(np.arange(len(self.train), dtype=np.uint64)))
        return np.floor(drawn * count).astype(np.int64)


class Transform(Protocol):
    """`name` is that of the column that it makes, `how` that of the transform, `gives` the kind of that column."""

    @property
    def name(self) -> str: ...

    @property
    def how(self) -> str: ...

    @property
    def gives(self) -> Literal["text", "number"]: ...

    @property
    def inputs(self) -> Mapping[str, Kind]:
        """The columns that it is made of, of the table or derived earlier, and how it wants them."""
        ...

    @property
    def task(self) -> str:
        """The task whose labels it learns from; "" where it learns from none."""
        ...

    def faults(self) -> list[str]:
        """What contradicts itself in how it was written, a clause each."""
        ...

    def fit(self, log: Log) -> State:
        """What it learns from the train rows of `log`."""
        ...

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        """The column (n,) of new rows: String, or Float64 with NaN where it is not known."""
        ...


@runtime_checkable
class HoldsOut(Protocol):
    """A transform by which a train row would see itself, or what came after it, if it were made as a new row is."""

    def of_train(self, log: Log, state: State) -> pl.Series:
        """The column of the train rows alone, in their order: each made of other rows, where times are known of earlier ones."""
        ...


@runtime_checkable
class OfHistory(Protocol):
    """A derived number that is made of encoded rows: of a history, and of the row's own value of the history's field."""

    @property
    def name(self) -> str: ...

    @property
    def of(self) -> str:
        """The sequence."""
        ...

    def measure(self, history: NDArray[np.int32], own: NDArray[np.int32]) -> NDArray[np.float64]:
        """The numbers (n,) of histories (n, L), oldest first, 0 = padding, and own ids (n,)."""
        ...
