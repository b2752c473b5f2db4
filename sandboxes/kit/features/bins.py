"""Discretisation: a number as a category, by cut points that are found in train. Notation: n rows, K cut points.

What is missing is a category of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.features.contract import Kind, Log, State
from sandboxes.kit.features.cuts import FOLDS, Floats, best_cuts, equal_frequency, logarithmic
from sandboxes.kit.features.tree_cuts import tree_cuts

By = Literal["equal_frequency", "log", "tree", "auto"]
MOST = 1024


@dataclass(frozen=True)
class Bins:
    """The number `of` in at most `bins` categories, cut `by`

    - equal_frequency: quantiles of train;
    - log: so many a doubling of the size that no more than `bins` cover train (as won Criteo's challenge of 2014 for counts);
    - tree: where a tree on this one number tells positive from negative rows of `task` best;
    - auto: whichever of these, at several numbers of bins, predicts held-out train rows of `task` best.
    """

    name: str
    of: str
    by: By = "equal_frequency"
    bins: int = 32
    task: str = ""
    how: Literal["bins"] = "bins"

    gives: ClassVar[Literal["text"]] = "text"

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return {self.of: "number"}

    def faults(self) -> list[str]:
        found = [] if 2 <= self.bins <= MOST else [f"bins must lie between 2 and {MOST}"]
        learns = self.by in ("tree", "auto")
        if learns != bool(self.task):
            found.append(f"bins by {self.by} {'need the' if learns else 'have no'} task")
        return found

    def fit(self, log: Log) -> State:
        values = log.columns[self.of].to_numpy()
        seen = log.train & np.isfinite(values)
        if log.labels is not None:
            seen &= ~np.isnan(log.labels)
        labels = None if log.labels is None else log.labels[seen].astype(np.float64)
        return {"cuts": pl.Series(self._cuts(values[seen], labels, log.folds(FOLDS)[seen]), dtype=pl.Float64)}

    def _cuts(self, values: Floats, labels: Floats | None, folds: NDArray[np.int64]) -> Floats:
        if not len(values):
            return np.zeros(0)
        if self.by == "equal_frequency":
            return equal_frequency(values, self.bins)
        if self.by == "log":
            return logarithmic(values, self.bins)
        assert labels is not None
        return tree_cuts(values, labels, self.bins) if self.by == "tree" else best_cuts(values, labels, folds, self.bins)

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        values = columns[self.of].to_numpy()
        places = np.searchsorted(state["cuts"].to_numpy(), values, side="right")
        texts = pl.Series([f"{place}" for place in range(len(state["cuts"]) + 1)], dtype=pl.String).gather(places)
        return pl.select(pl.when(pl.Series(np.isnan(values))).then(pl.lit("missing")).otherwise(texts)).to_series()
