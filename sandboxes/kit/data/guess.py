"""Guesses the description of a table that comes without a schema file, by names and types of columns.

The guess is said in words, so that a report shows it; whoever knows better writes a schema file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.schema import Side

LABELS = ("label", "click", "clicked", "is_click", "clk", "target", "y", "conversion", "is_clicked")
USERS = ("user_id", "userid", "user", "uid")
ITEMS = ("item_id", "itemid", "item", "iid", "video_id", "movie_id", "ad_id", "adgroup_id", "product_id")
TIMES = ("timestamp", "time", "time_stamp", "ts", "datetime", "unix_time", "event_time")
SPLIT_COLUMNS = ("split",)
FEW = 1000  # a whole-number column with at most so many values is a category
LOOKED_AT = 200_000  # rows
UNIQUE = 0.9  # a text column with a larger share of distinct values names rows and is left out


@dataclass(frozen=True)
class Guess:
    """The guessed description, and the same in words."""

    spec: TableSpec
    said: str


def guess(table: pl.LazyFrame, path: Path) -> Guess:
    """The description of `table`. Raises `DataError` when no column can be the label or none can be a feature."""
    head = table.head(LOOKED_AT).collect()
    label = _named(head, LABELS)
    if label is None:
        raise DataError(
            f"{path.name} has no column called {', '.join(LABELS[:4])} or the like, so that the label is unknown; rename it, "
            f"or give a schema file (.toml) that names it; the columns are {', '.join(map(repr, head.columns))}"
        )
    user, item, time, split = (_named(head, names) for names in (USERS, ITEMS, TIMES, SPLIT_COLUMNS))
    taken = {label, time, split}
    categorical = [c for c in head.columns if c not in taken and (c in (user, item) or _is_category(head[c]))]
    numeric = [c for c in head.columns if c not in taken and c not in categorical and head[c].dtype.is_numeric()]
    left_out = [c for c in head.columns if c not in (*taken, *categorical, *numeric)]
    spec = TableSpec(
        name=re.sub(r"(\.gz)?$", "", path.name).rpartition(".")[0] or path.stem,
        tasks=(Label(label),),
        categorical=tuple(Categorical(c, min_frequency=2, side=_side(c, user, item)) for c in categorical),
        numeric=tuple(Numeric(c) for c in numeric),
        user=user,
        time=time,
        target_item=item,
        split=Split(by="given", column=split) if split else Split(by="time" if time else "random"),
    )
    return Guess(spec, _said(spec, label, left_out))


def _named(head: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    """The column whose name, in lower case, comes first in `names`."""
    by_name = {c.lower(): c for c in reversed(head.columns)}
    return next((by_name[n] for n in names if n in by_name), None)


def _is_category(column: pl.Series) -> bool:
    """Text, truth values, and whole numbers with few values; not text that names rows."""
    if column.dtype.is_integer():
        return column.n_unique() <= FEW
    if column.dtype in (pl.String, pl.Boolean, pl.Categorical) or isinstance(column.dtype, pl.Enum):
        return column.n_unique() <= max(FEW, UNIQUE * len(column))
    return False


def _side(column: str, user: str | None, item: str | None) -> Side:
    if column == user or column.lower().startswith("user"):
        return "user"
    return "item" if column == item or column.lower().startswith("item") else "context"


def _said(spec: TableSpec, label: str, left_out: list[str]) -> str:
    parts = [
        f"guessed without a schema file: label {label} (positive from 1)",
        f"categories {', '.join(c.name for c in spec.categorical) or 'none'}",
        f"numbers {', '.join(n.name for n in spec.numeric) or 'none'}",
        f"split {spec.split.by}",
    ]
    parts += [f"user {spec.user}"] if spec.user else []
    parts += [f"time {spec.time}"] if spec.time else []
    parts += [f"left out {', '.join(left_out)}"] if left_out else []
    return "; ".join(parts)
