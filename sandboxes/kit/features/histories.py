"""Aggregates of a history: how much of it there is, and what of it is the row's own value. Notation: n rows, L history length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.features.contract import Kind, Log, State
from sandboxes.kit.schema import FIRST_ID, PADDING_ID

Says = Literal["length", "distinct", "matches", "match_share", "since_match"]
Ids = NDArray[np.int32]


@dataclass(frozen=True)
class HistoryMeasure:
    """Of the sequence `of`, as it is encoded (its last `length` events at most), one of

    - length: log(1 + events);
    - distinct: log(1 + different values);
    - matches: log(1 + events whose value is the row's own of the same field), unknown values matching nothing;
    - match_share: their share of all events, 0 of none;
    - since_match: log(1 + events since the last match), NaN where there is none.
    """

    name: str
    of: str
    says: Says
    how: Literal["history"] = "history"

    gives: ClassVar[Literal["number"]] = "number"
    task: ClassVar[str] = ""

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return {}

    def faults(self) -> list[str]:
        return []

    def fit(self, log: Log) -> State:
        return {}

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        raise NotImplementedError("it is made of encoded rows, by measure")

    def measure(self, history: Ids, own: Ids) -> NDArray[np.float64]:
        real = history != PADDING_ID
        events = real.sum(1)
        if self.says == "length":
            return np.asarray(np.log1p(events))
        if self.says == "distinct":
            return np.asarray(np.log1p(_distinct(history)))
        match = (history == own[:, None]) & (own[:, None] >= FIRST_ID)
        if self.says == "matches":
            return np.asarray(np.log1p(match.sum(1)))
        if self.says == "match_share":
            return np.asarray(match.sum(1) / np.maximum(events, 1))
        since = match[:, ::-1].argmax(1).astype(np.float64)  # the newest event stands last
        return np.where(match.any(1), np.log1p(since), np.nan)


def _distinct(history: Ids) -> NDArray[np.int64]:
    """How many different values (n,) each history has, padding apart."""
    ordered = np.sort(history, axis=1)
    new = np.concatenate([np.ones((len(ordered), 1), dtype=np.bool_), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    return np.asarray((new & (ordered != PADDING_ID)).sum(1))
