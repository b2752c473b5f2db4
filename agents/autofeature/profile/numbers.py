"""One pass over all columns: what is missing, roughly how many values there are, and the moments of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.held import Held
from agents.autofeature.profile.missing import comparable, is_empty, is_nan
from agents.autofeature.profile.model import Numbers

_WHAT = ("null", "nan", "empty", "distinct", "infinite", "minimum", "maximum", "mean", "std")
LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


@dataclass(frozen=True)
class Counted:
    """Rows that are null, NaN or empty text, and about how many other values there are. The rest is None without numbers."""

    null: int
    nan: int
    empty: int
    distinct: int
    infinite: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None

    @property
    def missing(self) -> int:
        return self.null + self.nan + self.empty


def counted(held: Held) -> dict[str, Counted]:
    """Of every column, in one streaming pass."""
    columns = list(held.schema.items())
    asked = [e.alias(f"{i}:{what}") for i, (c, dtype) in enumerate(columns) for what, e in _asked(c, dtype).items()]
    if not asked:
        return {}
    found = held.frame.select(asked).collect(engine="streaming").row(0, named=True)
    return {c: _one({what: found.get(f"{i}:{what}") for what in _WHAT}) for i, (c, _) in enumerate(columns)}


def number(name: str, dtype: pl.DataType) -> pl.Expr | None:
    """The column as floats, or None where it holds none. Infinite and NaN values become null."""
    if dtype == pl.Duration:
        return pl.col(name).cast(pl.Int64).cast(pl.Float64)
    if not dtype.is_numeric():
        return None
    floats = pl.col(name).cast(pl.Float64)
    return pl.when(floats.is_finite()).then(floats).alias(name)


def _asked(name: str, dtype: pl.DataType) -> dict[str, pl.Expr]:
    column = pl.col(name)
    asked = {
        "null": column.null_count(),
        "nan": is_nan(name, dtype).sum(),
        "empty": is_empty(name, dtype).sum(),
        "distinct": comparable(name, dtype).drop_nulls().approx_n_unique(),
    }
    floats = number(name, dtype)
    if floats is not None:
        asked |= {"minimum": floats.min(), "maximum": floats.max(), "mean": floats.mean(), "std": floats.std()}
    if dtype.is_float():
        asked["infinite"] = column.is_infinite().sum()
    return asked


def _one(found: dict[str, object]) -> Counted:
    null, nan, empty, distinct, infinite = (int(str(found[k] or 0)) for k in _WHAT[:5])
    minimum, maximum = (finite(found[k]) for k in ("minimum", "maximum"))
    mean, std = (_steady(finite(found[k])) for k in ("mean", "std"))
    return Counted(null, nan, empty, distinct, infinite, minimum, maximum, mean, std)


def finite(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _steady(value: float | None) -> float | None:
    """Without the last digits, which depend on the order in which threads have added."""
    return None if value is None else float(f"{value:.12g}")


def numbers_of(held: Held, name: str, count: Counted) -> Numbers | None:
    """The moments of all rows, with quantiles and skewness of the sample. None for what is no number."""
    floats = number(name, held.schema[name])
    if floats is None:
        return None
    values = held.sample.select(floats).to_series().drop_nulls().to_numpy()
    quantiles = np.quantile(values, LEVELS) if len(values) else ()
    return Numbers(
        minimum=count.minimum,
        maximum=count.maximum,
        mean=count.mean,
        std=count.std,
        skewness=_skewness(values),
        quantiles=tuple(float(q) for q in quantiles if math.isfinite(q)),
        infinite=count.infinite,
    )


def _skewness(values: NDArray[np.float64]) -> float | None:
    if len(values) < 3:
        return None
    with np.errstate(all="ignore"):
        away = values - values.mean()
        return finite(float((away**3).mean() / (away**2).mean() ** 1.5))
