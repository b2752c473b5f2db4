"""Statistics of a category, or of several together, over train: how common it is, and how often a task is positive with it.

A train row's own statistic is made of other rows (see `counting`), a new row's of all of train. Notation: n rows, K keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from sandboxes.kit.features.contract import Kind, Log, State
from sandboxes.kit.features.counting import Counted, Floats, held_out
from sandboxes.kit.features.keys import joined


@dataclass(frozen=True)
class Share:
    """log((rows with the key + 1) / (rows + 1)): how common the values of the columns `of` are together."""

    name: str
    of: tuple[str, ...]
    how: Literal["share"] = "share"

    gives: ClassVar[Literal["number"]] = "number"
    task: ClassVar[str] = ""

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return dict.fromkeys(self.of, "text")

    def faults(self) -> list[str]:
        return _faults(self.of)

    def fit(self, log: Log) -> State:
        return _counted(joined(log.of_train, self.of), np.ones(int(log.train.sum())))

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        return self._said(_looked_up(joined(columns, self.of), state))

    def of_train(self, log: Log, state: State) -> pl.Series:
        keys = joined(log.of_train, self.of)
        return self._said(held_out(log, keys, np.ones(len(keys))))

    def _said(self, counted: Counted) -> pl.Series:
        return pl.Series(self.name, np.log((counted.rows + 1) / (counted.all_rows + 1)))


@dataclass(frozen=True)
class Rate:
    """The log odds of the task being positive where the columns `of` have those values: (positives + smoothing * mean) /
    (rows + smoothing), as Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes" (2001), eq. 4."""

    name: str
    of: tuple[str, ...]
    task: str
    smoothing: float = 20.0  # rows of the mean rate that each key is given
    how: Literal["rate"] = "rate"

    gives: ClassVar[Literal["number"]] = "number"

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return dict.fromkeys(self.of, "text")

    def faults(self) -> list[str]:
        found = _faults(self.of) + ([] if self.task else ["a rate is of a task; name it"])
        return found + ([] if self.smoothing > 0 else ["smoothing must be above 0"])

    def fit(self, log: Log) -> State:
        return _counted(joined(log.of_train, self.of), self._labels(log))

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        return self._said(_looked_up(joined(columns, self.of), state))

    def of_train(self, log: Log, state: State) -> pl.Series:
        return self._said(held_out(log, joined(log.of_train, self.of), self._labels(log)))

    def _labels(self, log: Log) -> Floats:
        assert log.labels is not None
        return log.labels[log.train].astype(np.float64)

    def _said(self, counted: Counted) -> pl.Series:
        mean = (counted.all_weights + 0.5) / (counted.all_rows + 1)
        rate = (counted.weights + self.smoothing * mean) / (counted.rows + self.smoothing)
        return pl.Series(self.name, np.log(rate / (1 - rate)))


def _faults(of: tuple[str, ...]) -> list[str]:
    return [] if of and len(set(of)) == len(of) else ["it is of one or more different columns"]


def _counted(keys: pl.Series, weights: Floats) -> State:
    """Rows and weights of each key; rows whose weight is NaN do not count."""
    told = pl.DataFrame({"key": keys, "weight": weights}).filter(pl.col("weight").is_not_nan())
    by_key = told.group_by("key").agg(pl.len().cast(pl.Float64).alias("rows"), pl.col("weight").sum()).sort("key")
    return {name: by_key[name] for name in ("key", "rows", "weight")}


def _looked_up(keys: pl.Series, state: State) -> Counted:
    known = pl.DataFrame(dict(state))
    found = keys.to_frame("key").join(known, on="key", how="left", maintain_order="left")
    rows, weights = (found[name].fill_null(0.0).to_numpy() for name in ("rows", "weight"))
    totals = [np.full(len(keys), float(known[name].sum())) for name in ("rows", "weight")]
    return Counted(rows, weights, totals[0], totals[1])
