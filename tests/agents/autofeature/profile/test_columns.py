"""What is said of each column: its kind, what is missing, its moments, how rows are shared among its values."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiled import SPEC, UNTIMED, honest, profiled, source

from agents.autofeature.profile import profile
from agents.autofeature.profile import values as counting
from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence

N = 400
BASE = honest(N)
DRAW = np.random.default_rng(0)
KINDS: dict[str, tuple[Any, str]] = {
    "device": (DRAW.choice(["phone", "desk"], N), "category"),
    "flag": (DRAW.random(N) < 0.5, "category"),
    "few": (DRAW.integers(5, size=N), "category"),
    "cents": (DRAW.integers(100_000, size=N) // 10 * 10, "number"),
    "height": (DRAW.normal(size=N), "number"),
    "worth": ([Decimal(int(v)) / 8 for v in DRAW.integers(1000, size=N)], "number"),
    "waited": ([timedelta(seconds=int(v)) for v in DRAW.integers(1000, size=N)], "number"),
    "request": ([f"r{i:x}" for i in range(N)], "id"),
    "session": ([f"s{i if i % 20 else 0:x}" for i in range(N)], "id"),
    "street": ([f"street {i // 2}" for i in range(N)], "category"),
    "row": (np.arange(N), "id"),
    "ad_id": (DRAW.integers(60, size=N), "id"),
    "born": ([date(1990, 1, 1) + timedelta(days=int(i)) for i in range(N)], "time"),
    "seen_at": (1_700_000_000 + np.arange(N), "time"),
    "made": ([f"2026-01-{1 + i % 28:02d}" for i in range(N)], "time"),
    "words": (
        [f"a new {a} for the {b} home" for a, b in zip(DRAW.integers(90, size=N), DRAW.integers(90, size=N), strict=True)],
        "text",
    ),
    "tags": ([["a", "b"][: i % 3] for i in range(N)], "list"),
    "same": (["x"] * N, "constant"),
    "none": ([None] * N, "constant"),
    "blank": ([" "] * N, "constant"),
    "place": ([{"lat": float(v)} for v in DRAW.integers(9, size=N)], "other"),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_a_column(name: str) -> None:
    values, kind = KINDS[name]
    found = profiled({**BASE, name: values}).column(name)
    assert found.kind == kind and found.roles == ("unused",)


def test_the_description_says_more_than_the_values() -> None:
    columns = {
        **BASE,
        "code": DRAW.integers(300, size=N),
        "level": DRAW.integers(5, size=N),
        "past": ["i1|i2"] * (N - 1) + ["i3"],
    }
    spec = replace(
        SPEC,
        categorical=(*SPEC.categorical, Categorical("code")),
        numeric=(*SPEC.numeric, Numeric("level")),
        sequences=(Sequence("past", "item", column="past"),),
        target_item="item",
    )
    kinds = {c.name: (c.kind, c.roles) for c in profiled(columns, spec).columns}
    assert kinds["code"] == ("category", ("feature",)) and kinds["level"] == ("number", ("feature",))
    assert kinds["past"] == ("list", ("sequence",)) and kinds["item"] == ("id", ("feature", "item"))
    assert kinds["user"] == ("id", ("user",)) and kinds["time"] == ("time", ("time",)) and kinds["click"][1] == ("label",)


def test_missing_values_of_every_sort_are_told_apart() -> None:
    table = pl.DataFrame(BASE).with_columns(
        number=pl.Series([None, math.nan, math.nan, math.inf] + [1.0, 2.0] * (N // 2 - 2)),
        text=pl.Series([None, "", "  ", "\t"] + ["a", "b"] * (N // 2 - 2)),
        kind=pl.Series([None, "", " ", "x"] + ["a", "b"] * (N // 2 - 2), dtype=pl.Categorical),
    )
    found = profiled(table)
    number, text, kind = (found.column(c) for c in ("number", "text", "kind"))
    assert (number.null, number.nan, number.empty, number.distinct) == (1, 2, 0, 3) and number.missing == 3 / N
    assert number.numbers is not None and number.numbers.infinite == 1 and number.numbers.maximum == 2
    assert (text.null, text.nan, text.empty, text.distinct) == (1, 0, 3, 2) and text.missing == 4 / N
    assert (kind.null, kind.empty, kind.distinct) == (1, 2, 3)
    assert [v.text for v in text.top] == ["a", "b"] and text.top[0].share == 0.5


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6, width=32)), min_size=40, max_size=80))
def test_moments_are_those_of_the_values(values: list[float | None]) -> None:
    columns = {**honest(len(values)), "x": pl.Series(values, dtype=pl.Float64)}
    found = profiled(columns).column("x")
    known = np.array([v for v in values if v is not None], dtype=np.float64)
    assert found.null == len(values) - len(known) and found.distinct == len(set(known.tolist()))
    numbers = found.numbers
    assert numbers is not None
    if not len(known):
        assert numbers.mean is None and numbers.quantiles == () and found.top == ()
        return
    assert numbers.minimum == known.min() and numbers.maximum == known.max()
    assert numbers.mean == pytest.approx(known.mean(), abs=1e-6) and numbers.quantiles[3] == pytest.approx(np.median(known))
    if len(known) > 1:
        assert numbers.std == pytest.approx(known.std(ddof=1), rel=1e-6, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(alphabet="abc <\u202e", max_size=2), min_size=40, max_size=80))
def test_values_are_counted(values: list[str]) -> None:
    found = profiled({**honest(len(values)), "x": values}).column("x")
    known = [v for v in values if v.strip()]
    counts = sorted((known.count(v) for v in set(known)), reverse=True)
    assert found.exact and found.distinct == len(counts) and [v.rows for v in found.top] == counts[:5]
    if known:
        shares = np.array(counts) / len(known)
        assert found.entropy == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-9)
        assert found.once == sum(c == 1 for c in counts) / len(known)


def test_skewness_is_of_the_third_moment() -> None:
    numbers = profiled({**honest(4000), "x": np.random.default_rng(0).exponential(size=4000)}).column("x").numbers
    assert numbers is not None and numbers.skewness == pytest.approx(2, abs=0.3)


def test_very_many_values_are_estimated_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_COUNTED", 1000)
    table = pl.DataFrame({**honest(5000), "many": np.arange(5000) % 4000})
    found = profile(source(table), 2000).column("many")
    assert not found.exact and 3800 < found.distinct < 4200 and found.top


@pytest.mark.parametrize("form", ["parquet", "csv", "frames"])
def test_a_lazy_table_has_the_profile_of_the_same_in_memory(form: str, tmp_path: Path) -> None:
    table = pl.DataFrame({**honest(3000), "paid": honest(3000)["click"] * 2.5})
    if form == "parquet":
        table.write_parquet(tmp_path / "t.parquet", row_group_size=500)
        lazy = pl.scan_parquet(tmp_path / "t.parquet")
    elif form == "csv":
        table.write_csv(tmp_path / "t.csv", datetime_format="%Y-%m-%d %H:%M:%S")
        lazy = pl.scan_csv(tmp_path / "t.csv")
    else:
        lazy = pl.concat([table[:1000].lazy(), table[1000:].lazy()])
    found, whole = profiled(lazy), profiled(table)
    assert found.suspects == whole.suspects and found.duplicates == whole.duplicates and found.drift == whole.drift
    assert found == whole or form == "csv"


def test_a_sample_is_even_and_the_same_every_time() -> None:
    table = pl.DataFrame(honest(20_000))
    first, again = (profile(source(table), 3000) for _ in range(2))
    assert first == again and 2900 < first.sample_rows < 3100
    assert first.tasks == profile(source(table)).tasks and first.drift.windows == profile(source(table)).drift.windows


def test_what_cannot_be_profiled_is_a_sentence() -> None:
    with pytest.raises(DataError, match="has no column 'click'"):
        profile(source({k: v for k, v in BASE.items() if k != "click"}))
    with pytest.raises(DataError, match="cannot be read"):
        profile(source(pl.scan_parquet("/nowhere/at/all.parquet")))
    with pytest.raises(KeyError):
        profiled(BASE).column("nothing")


def test_labels_that_cannot_be_read_are_a_note() -> None:
    found = profiled({**BASE, "click": ["maybe"] * N})
    assert "'maybe', which is no number" in found.notes[0] and found.tasks[0].problem and found.tasks[0].rate is None
    second = profiled({**BASE, "buy": [1] * N}, replace(SPEC, tasks=(Label("click"), Label("buy", given="click"))))
    assert "without click" in second.notes[0]


WEIRD: dict[str, Any] = {
    "categorical": pl.Series(["a", None] * (N // 2), dtype=pl.Categorical),
    "enum": pl.Series(["a", "b"] * (N // 2), dtype=pl.Enum(["a", "b"])),
    "binary": [b"a", None, b"\xff\x00", b""] * (N // 4),
    "clock": pl.Series([datetime(2026, 1, 1, i % 24).time() for i in range(N)]),
    "zoned": pl.Series([datetime(2025, 1, 1, i % 24) for i in range(N)]).dt.replace_time_zone("Europe/Berlin"),
    "lists of lists": [[["a"]], None] * (N // 2),
    "lists of numbers": [[1.0, None], []] * (N // 2),
    "array": pl.Series([[1, 2]] * N, dtype=pl.Array(pl.Int64, 2)),
    "struct": [{"a": 1, "b": "x"}, None] * (N // 2),
    "nothing": pl.Series([None] * N, dtype=pl.Null),
    "huge": pl.Series([2**63 + i for i in range(N)], dtype=pl.UInt64),
    "wide": pl.Series([10**30 + i for i in range(N)], dtype=pl.Int128),
    "small": pl.Series([1, -1] * (N // 2), dtype=pl.Int8),
    "nan": [math.nan] * N,
    "infinite": [math.inf, -math.inf] * (N // 2),
    "extreme": [1e308, -1e308] * (N // 2),
    "decimal": pl.Series([Decimal("1.10"), None] * (N // 2)),
    "objects": pl.Series([object()] * N, dtype=pl.Object),
    "old": [date(1, 1, 1), date(9999, 12, 31)] * (N // 2),
    "": ["unnamed"] * N,
    "row": list(range(N)),
    "window": ["w", "v"] * (N // 2),
    "value": ["w", "v"] * (N // 2),
    "rows": [1, 2] * (N // 2),
}


@pytest.mark.parametrize("name", WEIRD)
def test_no_type_of_column_is_too_strange(name: str) -> None:
    found = profile(source(pl.DataFrame(BASE).with_columns(pl.Series(name, WEIRD[name]))), 300)
    assert not found.suspects
    assert (name in {c.name for c in found.columns}) != (name == "objects")
    assert name != "objects" or "objects of Python" in found.notes[0]


TYPES = st.sampled_from(
    [pl.Int8, pl.UInt64, pl.Float32, pl.String, pl.Boolean, pl.Date, pl.Datetime, pl.Binary, pl.List(pl.Int64)]
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_tables_of_any_size_and_type_have_a_profile(data: st.DataObject) -> None:
    from polars.testing.parametric import dataframes

    table = data.draw(dataframes(min_cols=1, max_cols=4, min_size=0, max_size=60, excluded_dtypes=[pl.Struct, pl.Object]))
    table = table.rename({c: f"x{i}" for i, c in enumerate(table.columns)})
    click = data.draw(st.lists(st.sampled_from([0, 1, None]), min_size=table.height, max_size=table.height))
    table = table.with_columns(click=pl.Series(click, dtype=pl.Int64))
    time = "x0" if data.draw(st.booleans()) else None
    spec = replace(UNTIMED, categorical=(Categorical("x0"),), numeric=(), time=time)
    found = profiled(table, spec)
    assert found.rows == table.height and len(found.columns) == table.width


@pytest.mark.parametrize("rows", [0, 1, 2, 49, 101])
def test_tiny_tables(rows: int) -> None:
    found = profiled(pl.DataFrame(honest(max(rows, 1)))[:rows])
    assert found.rows == rows and not found.suspects and (found.drift.unavailable == "") == (rows > 100)


def test_a_table_of_one_class_says_nothing_of_leaks() -> None:
    assert not profiled({**BASE, "click": [1] * N, "x": range(N)}).suspects
    assert profiled({**BASE, "click": [None] * N}).tasks[0].rate is None
