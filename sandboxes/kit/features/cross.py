"""Crosses: two or more columns as one category, so that a model sees their combination at once.

Cheng et al., "Wide & Deep Learning for Recommender Systems" (2016), eq. 1; a field of it may hash its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import polars as pl

from sandboxes.kit.features.contract import Kind, Log, State
from sandboxes.kit.features.keys import joined


@dataclass(frozen=True)
class Cross:
    """The values of the columns `of` together."""

    name: str
    of: tuple[str, ...]
    how: Literal["cross"] = "cross"

    gives: ClassVar[Literal["text"]] = "text"
    task: ClassVar[str] = ""

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return dict.fromkeys(self.of, "text")

    def faults(self) -> list[str]:
        return [] if len(set(self.of)) == len(self.of) > 1 else ["a cross is of two or more different columns"]

    def fit(self, log: Log) -> State:
        return {}

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        return joined(columns, self.of)
