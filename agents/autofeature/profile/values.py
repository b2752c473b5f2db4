"""How rows are shared among a column's values: by counting all of them, in one streaming pass over all columns.

Where there are windows, values are counted in each, which shows how many of a window's values are new.
Notation: W windows, coded 0 to W - 1; -1 is a row without one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.held import Held
from agents.autofeature.profile.missing import comparable
from agents.autofeature.profile.model import Kind, ValueShare

MOST_COUNTED = 2_000_000  # distinct values of a column that are held in memory; above, the sample is counted instead
TOP, CLIPPED = 5, 80  # values that are shown, and characters of each
TOGETHER = 8  # columns counted at once: each holds its values until the pass has ended
NEWS: frozenset[Kind] = frozenset({"category", "id"})


@dataclass(frozen=True)
class Shares:
    """`new` (W,) is the share of a window's rows whose value no earlier window shows."""

    distinct: int
    exact: bool
    top: tuple[ValueShare, ...]
    entropy: float | None
    once: float | None
    new: tuple[float, ...] | None


def shares_of(held: Held, guessed: dict[str, int], kinds: dict[str, Kind], windows: NDArray[np.int8] | None) -> dict[str, Shares]:
    """Of every column; `guessed` are rough counts of its values, `windows` (n,) the rows' own."""
    columns, found = list(held.schema), dict[str, Shares]()
    counting = [c for c in columns if guessed[c] <= MOST_COUNTED]
    whole, mark = _with_windows(held.frame, windows)
    for at in range(0, len(counting), TOGETHER):
        part = counting[at : at + TOGETHER]
        marks = [mark if windows is not None and kinds[c] in NEWS else "" for c in part]
        plans = [_plan(whole if m else held.frame, c, held.schema[c], m) for c, m in zip(part, marks, strict=True)]
        for c, m, counts in zip(part, marks, pl.collect_all(plans, engine="streaming"), strict=True):
            found[c] = _shares(counts, m, windows, True)
            if held.schema[c].is_nested():  # what was counted are hashes, which say nothing to a reader
                found[c] = replace(found[c], top=())
    for c in (c for c in columns if c not in found):
        counts = _plan(held.sample.lazy(), c, held.schema[c], "").collect()
        found[c] = _shares(counts, "", None, False, guessed[c])
    return found


def _with_windows(frame: pl.LazyFrame, windows: NDArray[np.int8] | None) -> tuple[pl.LazyFrame, str]:
    if windows is None:
        return frame, ""
    mark = "window"
    while mark in frame.collect_schema():
        mark += "_"
    return pl.concat([frame, pl.DataFrame({mark: windows}).lazy()], how="horizontal"), mark


def _plan(frame: pl.LazyFrame, name: str, dtype: pl.DataType, mark: str) -> pl.LazyFrame:
    """Rows per value, and per window where one is marked: columns `value`, `rows` and perhaps `window`."""
    keys = [comparable(name, dtype).alias("value"), *([pl.col(mark).alias("window")] if mark else [])]
    return frame.select(keys).filter(pl.col("value").is_not_null()).group_by(pl.all()).agg(pl.len().alias("rows"))


def _shares(
    counts: pl.DataFrame, mark: str, windows: NDArray[np.int8] | None, exact: bool, distinct: int | None = None
) -> Shares:
    new = _new(counts, windows) if mark and windows is not None else None
    values = counts.group_by("value").agg(pl.col("rows").sum()) if mark else counts
    rows = np.sort(values["rows"].to_numpy()).astype(np.float64)  # in whatever order they come, the sums are the same
    total = float(rows.sum())
    if not total:
        return Shares(0, exact, (), None, None, new)
    share = rows / total
    return Shares(
        distinct=len(rows) if distinct is None else distinct,
        exact=exact,
        top=_top(values, total),
        entropy=abs(float(-(share * np.log2(share)).sum())),
        once=float((rows == 1).sum() / total),
        new=new,
    )


def _top(values: pl.DataFrame, total: float) -> tuple[ValueShare, ...]:
    """The most frequent values; of equally frequent ones the first in order, so that two profiles are the same."""
    border = values["rows"].top_k(TOP).min()
    assert isinstance(border, int)
    head = values.filter(pl.col("rows") >= border).sort(["rows", "value"], descending=[True, False]).head(TOP)
    return tuple(ValueShare(text=said(v), rows=r, share=r / total) for v, r in head.select("value", "rows").iter_rows())


def said(value: object) -> str:
    """A value as short text."""
    if isinstance(value, bytes):
        value = f"0x{value.hex()}"
    if isinstance(value, float) and math.isfinite(value):
        value = f"{value:,.6g}"
    text = str(value)
    return text if len(text) <= CLIPPED else text[: CLIPPED - 1] + "…"


def _new(counts: pl.DataFrame, windows: NDArray[np.int8]) -> tuple[float, ...]:
    n = int(windows.max(initial=0)) + 1
    inside = counts.filter(pl.col("window") >= 0)
    first = inside.group_by("value").agg(pl.all().sort_by("window").first()).group_by("window").agg(pl.col("rows").sum())
    totals = dict(inside.group_by("window").agg(pl.col("rows").sum()).select("window", "rows").iter_rows())
    new: dict[int, int] = dict(first.select("window", "rows").iter_rows())
    return tuple(_ratio(new.get(w, 0), totals.get(w, 0)) for w in range(n))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
