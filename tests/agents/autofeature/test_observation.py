"""What is known before a decision: leaks set aside, times by their units, what is active, what was tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from feature_worlds import SPEC, log
from small_shop import SPEC as SHOP

from agents.autofeature.changes import Add, Drop
from agents.autofeature.observation import Observation, SetAside, set_aside, usable, without
from agents.autofeature.profile import Profile, profile
from sandboxes.kit.data import DataError
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, TableSpec
from sandboxes.kit.features.cross import Cross


def profiled(spec: TableSpec = SPEC, **columns: Any) -> Profile:
    rows = log(3000)
    return profile(Source(spec, lambda: rows.with_columns(**columns), "x"))


@pytest.fixture(scope="module")
def seen() -> Profile:
    return profiled()


def test_a_leak_is_set_aside_unless_who_knows_allows_it(seen: Profile) -> None:
    assert [s.column for s in set_aside(seen, SPEC, ())] == ["paid"]
    assert set_aside(seen, SPEC, ("paid",)) == ()
    assert set_aside(seen, replace(SPEC, allow=("paid",)), ()) == ()


def test_a_leaking_feature_is_taken_out_of_the_description(seen: Profile) -> None:
    leaky = replace(SPEC, categorical=(*SPEC.categorical, Categorical("bought", column="paid")))
    aside = (SetAside(column="paid", reason="r"),)
    found = Observation(dataset="d", set_aside=aside, columns={}).description(leaky)
    assert [c.name for c in found.categorical] == [c.name for c in SPEC.categorical]
    assert "paid" in found.split.key  # by which rows stay where they are


def test_what_others_need_cannot_be_set_aside() -> None:
    with pytest.raises(DataError, match="clicked is made of a column that may know the label"):
        without(SHOP, {"item"})
    assert without(replace(SHOP, scenario="member"), {"member"}).scenario is None


def test_derived_columns_of_what_is_set_aside_go_too() -> None:
    spec = Add(name="a", gives="text", derived=(Cross("a", ("member", "size")),)).to(SHOP)
    assert not without(spec, {"size"}).derived and "a" not in [c.name for c in without(spec, {"size"}).categorical]


def test_active_changes_are_in_the_description_and_dropped_columns_are_marked() -> None:
    cross = Add(name="a", gives="text", derived=(Cross("a", ("colour", "shape")),))
    columns = usable(profiled(), SPEC, ())
    found = Observation(dataset="d", set_aside=(), columns=columns, active=(cross, Drop(name="noise")))
    names = [c.name for c in found.description(SPEC).categorical]
    assert "a" in names and "noise" not in names
    assert found.offered["noise"].dropped and not found.offered["size"].dropped


def test_times_have_their_unit_and_labels_are_no_material() -> None:
    seconds = 1_700_000_000 + np.arange(3000) * 60
    found = profiled(
        bought_at=pl.Series(seconds),
        shown_time=pl.Series(seconds * 1000),
        day_text=pl.Series(["2026-01-01", "2026-02-02", "2026-03-03"] * 1000),
        day=pl.Series(seconds * 1_000_000).cast(pl.Datetime("us")),
    )
    facts = usable(found, SPEC, ())
    times = {name: f.unit for name, f in facts.items() if f.kind == "time"}
    assert times == {"bought_at": "s", "shown_time": "ms", "day_text": "us", "day": "us"}
    assert "click" not in facts and facts["colour"].kind == "category" and facts["weight"].kind == "number"
