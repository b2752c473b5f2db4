"""Times as numbers that order rows, and in words. Notation: n rows."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.table import Table
from sandboxes.kit.data.users_and_times import arrival_values

Floats = NDArray[np.float64]
# The years 1990 to 2100 in seconds since 1970; numbers in other units by their factor.
EARLIEST, LATEST = 631_152_000, 4_102_444_800
UNITS = (1.0, 1e3, 1e6, 1e9)
NEARLY_ALL = 0.95  # of the values, that must look like times
NAME = re.compile(r"time|date|stamp|(^|_)(ts|at|day|hour|month|year|when)$", re.IGNORECASE)
ISO = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?\s*$"


def read_times(table: Table, name: str) -> tuple[Floats | None, str]:
    """The column as numbers (n,), NaN where empty; or None, and in a sentence why it is no time."""
    try:
        return arrival_values(table, name), ""
    except (DataError, pl.exceptions.PolarsError, ValueError) as error:
        return None, str(error).strip().partition("\n")[0]


def unit_of(values: Floats) -> float | None:
    """How many of the values' units make a second, if they are times since 1970; else None."""
    some = values[np.isfinite(values)]
    if not len(some):
        return None
    for unit in UNITS:
        if ((some >= EARLIEST * unit) & (some <= LATEST * unit)).mean() >= NEARLY_ALL:
            return unit
    return None


def seconds_of(values: Floats, dtype: pl.DataType) -> Floats | None:
    """The times (n,) in seconds since 1970, or None where they are numbers of some other kind."""
    if dtype in (pl.Date, pl.Datetime):
        return values / 1e6
    unit = unit_of(values)
    return None if unit is None else values / unit


def said_time(value: float, values: Floats, dtype: pl.DataType) -> str:
    """A time of the column in words: a date and hour where it is one, else the number."""
    seconds = seconds_of(np.append(values, value), dtype)
    if seconds is None or not np.isfinite(seconds[-1]):
        return f"{value:,.6g}"
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds[-1]))
    except OverflowError:
        return f"{value:,.6g}"
    return moment.strftime("%Y-%m-%d" if not (moment.hour or moment.minute or moment.second) else "%Y-%m-%d %H:%M")
