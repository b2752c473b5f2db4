"""Features of time: the hour, the day of the week and the like; and how long ago something was. Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import polars as pl

from sandboxes.kit.features.contract import Kind, Log, State

Unit = Literal["s", "ms", "us"]
Part = Literal["hour", "weekday", "day", "month", "hour_of_week", "weekend"]
PER_SECOND: Mapping[Unit, float] = {"s": 1.0, "ms": 1e3, "us": 1e6}
FARTHEST_S = 2.5e11  # seconds from 1970, some 7,900 years, beyond which a number is no date


@dataclass(frozen=True)
class TimePart:
    """A part of the time `of`, as a category. Numbers are `unit`s since 1970; what holds dates is in microseconds."""

    name: str
    of: str
    part: Part
    unit: Unit = "s"
    how: Literal["time_part"] = "time_part"

    gives: ClassVar[Literal["text"]] = "text"
    task: ClassVar[str] = ""

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return {self.of: "time"}

    def faults(self) -> list[str]:
        return []

    def fit(self, log: Log) -> State:
        return {}

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        seconds = columns[self.of].to_numpy() / PER_SECOND[self.unit]
        known = np.abs(seconds) < FARTHEST_S
        moments = pl.Series(np.where(known, seconds, 0) * 1e6).cast(pl.Int64).cast(pl.Datetime("us"))
        return pl.select(pl.when(pl.Series(known)).then(self._part(moments).cast(pl.String))).to_series()

    def _part(self, moments: pl.Series) -> pl.Series:
        dt = moments.dt
        if self.part == "hour_of_week":
            return (dt.weekday().cast(pl.Int16) - 1) * 24 + dt.hour().cast(pl.Int16)
        if self.part == "weekend":
            return (dt.weekday() > 5).cast(pl.Int8)
        whole: pl.Series = {"hour": dt.hour, "weekday": dt.weekday, "day": dt.day, "month": dt.month}[self.part]()
        return whole


@dataclass(frozen=True)
class Elapsed:
    """log(1 + seconds) from the time `since` to the time `of`, negative where `since` is the later: such as an item's age."""

    name: str
    of: str
    since: str
    unit: Unit = "s"
    how: Literal["elapsed"] = "elapsed"

    gives: ClassVar[Literal["number"]] = "number"
    task: ClassVar[str] = ""

    @property
    def inputs(self) -> Mapping[str, Kind]:
        return {self.of: "time", self.since: "time"}

    def faults(self) -> list[str]:
        return [] if self.of != self.since else ["it is from one time to another one"]

    def fit(self, log: Log) -> State:
        return {}

    def apply(self, columns: pl.DataFrame, state: State) -> pl.Series:
        passed = (columns[self.of] - columns[self.since]).to_numpy() / PER_SECOND[self.unit]
        return pl.Series(self.name, np.sign(passed) * np.log1p(np.abs(passed)))
