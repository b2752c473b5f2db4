"""What can be read off a column, each reading as one code a row: its values, its size, whether it is there, and how it counts.

Notation: S rows of the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.missing import comparable, is_empty, is_nan, is_text
from agents.autofeature.profile.numbers import number

BINS = 64  # quantiles
MODULI = (2, 10, 60, 100)  # parity, last digit, clocks, last two digits
ENDS = (1, 2, 4)  # characters of a text at its beginning and end
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """`said` continues "the label is told by ...". Codes that are `ranked` tell it by their order, up or down, as they stand;
    others by the rate of positives that each has."""

    said: str
    codes: Codes
    ranked: bool = False


def coded(values: pl.Series) -> Codes:
    """A small whole number (S,) per distinct value; missing is one too."""
    _, codes = np.unique(values.hash().to_numpy(), return_inverse=True)
    return codes.astype(np.int64)


def gaps(sample: pl.DataFrame, name: str) -> Codes:
    """Which kind of missing a row is (S,): 0 holds a value, 1 null, 2 NaN, 3 empty text."""
    dtype = sample.schema[name]
    kinds = sample.select(
        null=pl.col(name).is_null().cast(pl.Int64),
        nan=is_nan(name, dtype).cast(pl.Int64) * 2,
        empty=is_empty(name, dtype).cast(pl.Int64) * 3,
    )
    return kinds.sum_horizontal().to_numpy().astype(np.int64)


def binned(values: NDArray[np.float64], bins: int = BINS) -> Codes:
    """The quantile bin (S,) of each number; what is not finite has one of its own."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(values[known], np.arange(1, bins) / bins))
    codes = np.searchsorted(edges, values, side="right")
    return np.where(known, codes, len(edges) + 1).astype(np.int64)


def values_of(sample: pl.DataFrame, name: str) -> list[Reading]:
    """Every value by itself, null, NaN and empty text apart; numbers and times also in order."""
    dtype = sample.schema[name]
    missing = gaps(sample, name)
    each = coded(sample.select(comparable(name, dtype)).to_series()) + missing * (sample.height + 1)
    readings = [Reading("its values", np.unique(each, return_inverse=True)[1].astype(np.int64))]
    ordered = in_order(sample, name)
    if ordered is not None:
        readings.append(Reading("its ranges", np.where(missing > 1, BINS + 1 + missing, binned(ordered))))
        readings.append(Reading("its order", np.unique(np.nan_to_num(ordered, nan=-np.inf), return_inverse=True)[1], ranked=True))
    return readings


def in_order(sample: pl.DataFrame, name: str) -> NDArray[np.float64] | None:
    """The values (S,) as numbers where they have an order, NaN for missing; None where they have none."""
    dtype = sample.schema[name]
    if dtype in (pl.Date, pl.Datetime, pl.Time):
        column = pl.col(name) if dtype == pl.Time else pl.col(name).cast(pl.Datetime("us"))
        return sample.select(column.cast(pl.Int64).cast(pl.Float64)).to_series().fill_null(np.nan).to_numpy()
    floats = number(name, dtype)
    return None if floats is None else sample.select(floats).to_series().fill_null(np.nan).to_numpy()


def marks_of(sample: pl.DataFrame, name: str) -> Iterator[Reading]:
    """What an id can give away besides what it names: where it lies, what is left of it by division, its ends and its length."""
    dtype = sample.schema[name]
    ordered = in_order(sample, name)
    if ordered is not None:
        yield Reading("its ranges", binned(ordered))
        yield from remainders(ordered)
    elif is_text(dtype):
        text = sample.select(pl.col(name).cast(pl.String)).to_series()
        yield Reading("its order", binned(text.rank("dense").cast(pl.Float64).fill_null(np.nan).to_numpy()))
        digits = text.str.extract(r"(\d{1,15})\D*$").cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
        yield Reading("the range of its number", binned(digits))
        yield from remainders(digits)
        for size in ENDS:
            yield Reading(f"its first {size} characters", coded(text.str.head(size)))
            yield Reading(f"its last {size} characters", coded(text.str.tail(size)))
        yield Reading("its length", binned(text.str.len_chars().cast(pl.Float64).fill_null(np.nan).to_numpy()))


def sizes_of(sample: pl.DataFrame, name: str) -> Reading | None:
    """How long the row's text or list is; None for what has no length."""
    dtype = sample.schema[name]
    if isinstance(dtype, pl.List):
        length = sample[name].list.len()
    elif dtype == pl.String:
        length = sample[name].str.len_chars()
    else:
        return None
    return Reading("its length", binned(length.cast(pl.Float64).fill_null(np.nan).to_numpy()))


def remainders(values: NDArray[np.float64]) -> Iterator[Reading]:
    """Of whole numbers below 2^53, which floats hold exactly."""
    known = np.isfinite(values) & (np.abs(values) < 2.0**53)
    if not known.any() or (values[known] != np.floor(values[known])).any():
        return
    whole = np.where(known, values, 0).astype(np.int64)
    for modulus in MODULI:
        yield Reading(f"its remainder by {modulus}", np.where(known, whole % modulus, modulus))
