"""A time in a row that lies after the row's own: what it says was not known then. Notation: S rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.clock import NAME, Floats, read_times, seconds_of
from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.leaks.purity import purity
from agents.autofeature.profile.model import Kind, Severity, Suspect
from agents.autofeature.profile.wording import percent
from sandboxes.kit.data.table import Table

DAY = 86_400.0
MOSTLY = 0.5  # of the rows with both times, that lie later: such as the end of an offer, or when something was paid
FOLLOWING = 0.5  # correlation with the row's times: an hour of the day has none
FEWEST = 30  # rows with both times


def later_than(
    sample: pl.DataFrame, time: str, times: Floats, kinds: dict[str, Kind], columns: tuple[str, ...]
) -> dict[str, Floats]:
    """For each column that holds times, by how many seconds (or units of the table's time) it is later than its row (S,); NaN
    where either is missing."""
    own = seconds_of(times, sample.schema[time])
    found = {}
    for column in columns:
        dtype = sample.schema[column]
        if column == time or not (kinds[column] == "time" or (own is None and _by_name(column, dtype))) or dtype == pl.Time:
            continue
        values, _ = read_times(Table(sample), column)
        if values is None or not np.isfinite(values).any():
            continue
        apart = _apart(times, own, values, seconds_of(values, dtype), pl.Date in (dtype, sample.schema[time]))
        if apart is not None and np.isfinite(apart).sum() >= FEWEST:
            found[column] = apart
    return found


def _by_name(column: str, dtype: pl.DataType) -> bool:
    return dtype.is_numeric() and NAME.search(column) is not None


def _apart(times: Floats, own: Floats | None, values: Floats, seconds: Floats | None, days: bool) -> Floats | None:
    """Times in the same unit, or None where that is not clear. A date is its whole day, not the midnight that it begins with."""
    if own is not None and seconds is not None:
        return (np.floor(seconds / DAY) - np.floor(own / DAY)) * DAY if days else seconds - own
    if own is not None or seconds is not None:
        return None
    return values - times if _follow(values, times) else None


def _follow(values: Floats, times: Floats) -> bool:
    """Whether numbers of no known unit are of the same clock: they go with the row's times and are of about their size."""
    known = np.isfinite(values) & np.isfinite(times)
    own, other = times[known], values[known]
    if len(own) < FEWEST or min(own.std(), other.std()) == 0:
        return False
    low, high = own.min(), own.max()
    near = (other >= low - (high - low)) & (other <= high + (high - low))
    return bool(near.mean() >= MOSTLY and np.corrcoef(own, other)[0, 1] >= FOLLOWING)


def mostly_later(apart: dict[str, Floats]) -> Iterator[Suspect]:
    """Whatever the label: columns that are later than most rows."""
    for column, seconds in apart.items():
        known = seconds[np.isfinite(seconds)]
        share = float((known > 0).mean())
        if share >= MOSTLY:
            middle = float(np.median(known[known > 0]))
            yield Suspect(
                column=column,
                task="",
                reason="later than its row",
                severity="look",
                evidence=f"Lies after the row's own time in {percent(share)} of {len(known):,} rows that have both, "
                f"by {_span(middle)} at the median",
                numbers={"share": share, "rows": float(len(known)), "median": middle},
            )


def later_knows(asked: Asked, apart: dict[str, NDArray[np.float64]]) -> Iterator[Suspect]:
    """Columns that are later, or not later, only together with one label. `apart` are of the rows of `asked` (S,)."""
    for column, seconds in apart.items():
        known = np.isfinite(seconds)
        pure = purity(known & (seconds > 0), asked.labels, asked.z)
        if pure:
            evidence = pure.said("with a time after their own")
            severity: Severity = "refuse" if pure.positive or pure.whole else "look"
            yield asked.suspect(column, "later than its row", severity, evidence[:1].upper() + evidence[1:], pure.numbers)


def _span(seconds: float) -> str:
    for unit, size in (("days", DAY), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.4g} s"
