"""Small tables with a known truth, for tests of profiles: honest columns, a label drawn from them, and whatever is planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from agents.autofeature.profile import Profile, Suspect, profile
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec

START = datetime(2026, 1, 1)
SPEC = TableSpec("shop", (Label("click"),), (Categorical("item"),), (Numeric("price"),), user="user", time="time")
UNTIMED = replace(SPEC, user=None, time=None)


def honest(rows: int, seed: int = 0, rate: float = 0.3) -> dict[str, Any]:
    """Columns of a shop whose label depends on the item a little and on the price; the time goes up with the rows."""
    draw = np.random.default_rng(seed)
    item, price = draw.integers(40, size=rows), draw.normal(size=rows)
    odds = np.log(rate / (1 - rate)) + 0.8 * price + 0.5 * np.sin(item)
    return {
        "user": draw.integers(200, size=rows),
        "item": [f"i{i}" for i in item],
        "price": price,
        "time": [START + timedelta(minutes=int(i)) for i in range(rows)],
        "click": (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64),
    }


def source(columns: Mapping[str, Any] | pl.DataFrame | pl.LazyFrame, spec: TableSpec = SPEC) -> Source:
    table = columns if isinstance(columns, (pl.DataFrame, pl.LazyFrame)) else pl.DataFrame(columns, strict=False)
    return Source(spec, lambda: table, content="")


def profiled(columns: Mapping[str, Any] | pl.DataFrame | pl.LazyFrame, spec: TableSpec = SPEC) -> Profile:
    """The profile, which is also the same again when it has been JSON."""
    made = profile(source(columns, spec))
    assert Profile.model_validate_json(made.model_dump_json()) == made
    return made


def suspect(found: Profile, column: str) -> Suspect:
    return next(s for s in found.suspects if s.column == column)


def random_split(spec: TableSpec) -> TableSpec:
    return replace(spec, split=Split())
