"""What kind of thing a column holds, by its type, its description, and the values of a sample."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from agents.autofeature.profile.clock import ISO, NAME, NEARLY_ALL, unit_of
from agents.autofeature.profile.missing import is_text
from agents.autofeature.profile.model import Kind, Role
from sandboxes.kit.data.spec import Categorical, TableSpec

FEW = 20  # whole numbers with at most so many values are a category, unless the description says number
UNIQUE = 0.9  # of the rows with a value, that must be distinct for the column to name rows
ENOUGH = 20  # rows below which being distinct says nothing
WORDS, LONG = 4, 0.2  # text has so many words on average, and so large a share of distinct values
ID_NAME = re.compile(r"(^|_|[a-z])(id|uuid|guid|key|hash)$", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """`values` of the sample, missing ones left out; `distinct`, `present` and `missing` count rows of the table."""

    values: pl.Series
    distinct: int
    present: int
    missing: int

    @property
    def unique(self) -> bool:
        return self.present >= ENOUGH and self.distinct > UNIQUE * self.present


def kind_of(name: str, dtype: pl.DataType, roles: tuple[Role, ...], seen: Seen, spec: TableSpec) -> Kind:
    if seen.distinct + (seen.missing > 0) <= 1:
        return "constant"
    if isinstance(dtype, (pl.List, pl.Array)) or "sequence" in roles:
        return "list"
    if dtype in (pl.Date, pl.Datetime, pl.Time) or "time" in roles or "arrival" in roles:
        return "time"
    if {"user", "item"} & set(roles):
        return "id"
    described: dict[str, bool] = {f.column or f.name: isinstance(f, Categorical) for f in spec.features}
    if is_text(dtype):
        return _kind_of_text(name, seen, name in described)
    if dtype in (pl.Boolean, pl.Binary):
        return "category"
    if dtype.is_numeric() or dtype == pl.Duration:
        return _kind_of_number(name, dtype, seen, described.get(name))
    return "other"


def _kind_of_text(name: str, seen: Seen, described: bool) -> Kind:
    text = seen.values.cast(pl.String)
    if _share(text.str.contains(ISO)) >= NEARLY_ALL:
        return "time"
    words = _share(text.str.count_matches(r"\S+"))
    if words >= WORDS and seen.distinct > LONG * seen.present and not described:
        return "text"
    if seen.unique or (ID_NAME.search(name) and seen.distinct > FEW):
        return "id"
    return "category"


def _kind_of_number(name: str, dtype: pl.DataType, seen: Seen, categorical: bool | None) -> Kind:
    whole = dtype.is_integer()
    if NAME.search(name) and categorical is not True and unit_of(seen.values.cast(pl.Float64).to_numpy()) is not None:
        return "time"
    if whole and (ID_NAME.search(name) and seen.distinct > FEW):
        return "id"
    if whole and seen.unique and categorical is not False and seen.distinct == seen.present:
        return "id"
    if categorical is not None:
        return "category" if categorical else "number"
    return "category" if whole and seen.distinct <= FEW else "number"


def _share(column: pl.Series) -> float:
    """The mean of numbers or truth values, 0 without any."""
    return float(column.cast(pl.Float64).to_numpy().mean()) if len(column) else 0.0
