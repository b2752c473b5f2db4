"""Windows of equally many rows in order of time, or else the given splits in their order. Notation: n rows, W windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.clock import Floats, read_times, said_time
from agents.autofeature.profile.held import Held
from sandboxes.kit.data.prepared import SPLITS

WINDOWS = 8
FEWEST_ROWS = 50  # of a window: fewer show no distribution


@dataclass(frozen=True)
class Windows:
    """`codes` (n,) name each row's window, -1 none; `said` (W,) what a window spans. Without windows `unavailable` says why.
    `times` (n,) are there where the table has readable ones."""

    order: str
    unavailable: str
    codes: NDArray[np.int8] | None = None
    said: tuple[str, ...] = ()
    times: Floats | None = None

    @property
    def sizes(self) -> NDArray[np.int64]:
        assert self.codes is not None
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.said))


def windows_of(held: Held) -> Windows:
    spec = held.spec
    if not held.rows:
        return Windows("", "the table has no rows")
    if spec.time:
        return _by_time(held, spec.time)
    if spec.split.by == "given":
        return _by_split(held, spec.split.column)
    return Windows("", "the description names no column of time and no given split, so that rows have no order to drift along")


def _by_time(held: Held, name: str) -> Windows:
    times, problem = read_times(held.table, name)
    if times is None:
        return Windows("", f"the time in {name!r} cannot be read: {problem}")
    known = times[np.isfinite(times)]
    many = min(WINDOWS, len(known) // FEWEST_ROWS)
    if many < 2:
        return Windows("", f"{len(known):,} rows with a time are too few for two windows of {FEWEST_ROWS}", times=times)
    borders = np.unique(np.quantile(known, np.arange(1, many) / many, method="higher"))
    codes = np.searchsorted(borders, times, side="right")
    codes[~np.isfinite(times)] = -1
    used = np.unique(codes[codes >= 0])
    if len(used) < 2:
        return Windows("", f"all rows have nearly the same time in {name!r}", times=times)
    dense = np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int8)
    ends = [(times[dense == w].min(), times[dense == w].max()) for w in range(len(used))]
    some = known[:: max(1, len(known) // 1000)]
    said = tuple(" to ".join(dict.fromkeys(said_time(float(t), some, held.schema[name]) for t in end)) for end in ends)
    return Windows(name, "", dense, said, times)


def _by_split(held: Held, name: str) -> Windows:
    column = held.frame.select(pl.col(name).cast(pl.String).str.to_lowercase()).collect(engine="streaming").to_series()
    codes = column.replace_strict(list(SPLITS), [0, 1, 2], default=-1, return_dtype=pl.Int8).to_numpy()
    used = [c for c in range(len(SPLITS)) if (codes == c).sum() >= FEWEST_ROWS]
    if len(used) < 2:
        return Windows("", f"fewer than two of the splits in {name!r} have {FEWEST_ROWS} rows")
    dense = np.full(len(codes), -1, dtype=np.int8)
    for w, code in enumerate(used):
        dense[codes == code] = w
    return Windows(name, "", dense, tuple(SPLITS[c] for c in used))
