"""Every kind of leak that is planted in an honest table is found, by the name that it has, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from profiled import SPEC, START, UNTIMED, honest, profiled, source, suspect

from agents.autofeature.profile import Profile, profile
from sandboxes.kit.data.spec import Label, Numeric

N = 4000
DRAW = np.random.default_rng(7)
BASE = honest(N)
CLICK = np.asarray(BASE["click"])


def only(columns: dict[str, Any], spec: Any = SPEC) -> Profile:
    """The profile, in which all suspects are columns that were added."""
    found = profiled({**BASE, **columns}, spec)
    assert {s.column for s in found.suspects} <= set(columns), found.suspects
    return found


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(np.where(CLICK == 1, "thanks", "list"), id="a category"),
        pytest.param(CLICK * 10 + DRAW.random(N), id="a number"),
        pytest.param(-(CLICK * 10 + DRAW.random(N)), id="upside down"),
        pytest.param(np.abs(DRAW.normal(size=N)) * np.where(CLICK == 1, 1, -1), id="a sign"),
        pytest.param([["a"] * (1 + c) for c in CLICK], id="the length of a list"),
        pytest.param(CLICK.astype(bool), id="a truth value"),
    ],
)
def test_a_column_that_is_the_label_is_refused(planted: Any) -> None:
    found = suspect(only({"planted": planted}), "planted")
    assert found.severity == "refuse" and found.reason in ("knows the label", "copy")


def test_a_column_that_is_nearly_the_label_is_looked_at() -> None:
    hint = np.where(np.arange(N) % 150 == 0, 1 - CLICK, CLICK)
    found = suspect(only({"hint": hint}), "hint")
    assert (found.severity, found.reason) == ("look", "knows the label") and 0.98 < found.numbers["auc"] < 0.9999


def test_a_column_far_better_than_all_others_is_looked_at() -> None:
    hint = np.where(DRAW.random(N) < 0.95, CLICK, 1 - CLICK)
    found = suspect(only({"hint": hint}), "hint")
    assert (found.severity, found.reason) == ("look", "beats all others")
    assert found.numbers["better"] > 0.1 and "a model of 4 other columns" in found.evidence


def test_copies_of_a_column_do_not_hide_that_it_beats_all_others() -> None:
    hint = np.where(DRAW.random(N) < 0.95, CLICK, 1 - CLICK)
    found = only({"hint": hint, "again": [f"v{h}" for h in hint]})
    assert {s.column: s.severity for s in found.suspects} == {"hint": "look", "again": "look"}


def test_what_a_value_never_seen_in_the_other_half_says_is_nothing() -> None:
    unique = [f"{c}-{DRAW.integers(1 << 60)}" for c in DRAW.permutation(CLICK)]
    found = only({"request": unique})
    assert not found.suspects


@pytest.mark.parametrize("empty", [None, float("nan")], ids=["null", "NaN"])
@pytest.mark.parametrize("share", [1.0, 0.7])
def test_a_value_that_exists_for_positives_only_is_refused(empty: float | None, share: float) -> None:
    amounts = [float(v) if c and k < share else empty for v, c, k in zip(DRAW.random(N), CLICK, DRAW.random(N), strict=True)]
    found = suspect(only({"paid": amounts}), "paid")
    assert (found.severity, found.reason) == ("refuse", "missingness")
    assert "with a value, 0 are negative" in found.evidence or share == 1.0


def test_a_text_that_is_empty_for_negatives_is_refused() -> None:
    found = suspect(only({"note": np.where(CLICK == 1, DRAW.choice(["a", "b", "c"], N), " ")}), "note")
    assert (found.severity, found.reason) == ("refuse", "missingness")


def test_a_value_that_is_missing_for_some_negatives_only_is_looked_at() -> None:
    gone = (CLICK == 0) & (DRAW.random(N) < 0.4)
    found = suspect(only({"shown": [None if g else v for g, v in zip(gone, DRAW.random(N), strict=True)]}), "shown")
    assert (found.severity, found.reason) == ("look", "missingness") and "of null, 0 are positive" in found.evidence
    most = (CLICK == 1) & (DRAW.random(N) < 0.7)
    gone_for_most = suspect(only({"shown": np.where(most, np.nan, DRAW.random(N))}), "shown")
    assert (gone_for_most.severity, gone_for_most.reason) == ("look", "missingness")


def test_missing_values_that_know_nothing_are_no_suspects() -> None:
    assert not only({"age": [None if g else 3.5 for g in DRAW.random(N) < 0.4]}).suspects


def times(*, later: Any) -> list[Any]:
    return [START + timedelta(minutes=int(i)) + timedelta(hours=float(h)) for i, h in enumerate(later)]


@pytest.mark.parametrize("form", ["datetime", "seconds", "milliseconds", "text"])
def test_a_time_after_most_rows_is_looked_at(form: str) -> None:
    column = pl.Series("closed_time", times(later=1 + DRAW.random(N)))
    planted = {
        "datetime": column,
        "seconds": column.dt.epoch("s"),
        "milliseconds": column.dt.epoch("ms"),
        "text": column.dt.to_string("iso:strict"),
    }[form]
    found = suspect(only({"closed_time": planted}), "closed_time")
    assert (found.severity, found.reason) == ("look", "later than its row")
    assert "100%" in found.evidence.replace(".0%", "%") and "minutes" in found.evidence


def test_a_time_after_the_rows_of_positives_is_refused() -> None:
    found = suspect(only({"paid_at": times(later=np.where(CLICK == 1, 5.0, -5.0))}), "paid_at")
    assert (found.severity, found.reason) == ("refuse", "later than its row")


def test_a_number_of_the_rows_own_clock_is_compared_with_it() -> None:
    step = np.arange(N)
    columns = {**BASE, "time": step, "paid_time": step + 3, "hour": step % 24, "seen_time": step - 2}
    found = profiled(columns)
    assert {s.column for s in found.suspects} == {"paid_time"}


def test_an_hour_is_not_later_than_a_day() -> None:
    assert not profiled({**BASE, "time": np.arange(N) // (N // 10), "hour": DRAW.integers(14, size=N)}).suspects


@pytest.mark.parametrize("form", ["datetime", "date"])
def test_times_before_their_rows_are_no_suspects(form: str) -> None:
    earlier = pl.Series("signed_up", times(later=-DRAW.random(N)))
    planted = earlier.dt.date() if form == "date" else earlier
    assert not only({"signed_up": planted}).suspects


def test_a_date_of_the_same_day_is_not_later() -> None:
    spread = pl.Series("time", times(later=np.zeros(N)))
    found = profiled({**BASE, "time": spread.dt.date(), "seen": spread.dt.offset_by("1h").dt.truncate("1d").dt.offset_by("23h")})
    assert not found.suspects


def test_when_a_delayed_label_arrives_is_no_suspect_and_its_copy_is() -> None:
    arrives = [t if c else None for t, c in zip(times(later=np.full(N, 30.0)), CLICK, strict=True)]
    spec = replace(SPEC, tasks=(Label("click", arrives="arrives"),), split=replace(SPEC.split, by="time"))
    found = profiled({**BASE, "arrives": arrives, "paid_at": arrives}, spec)
    assert {s.column for s in found.suspects} == {"paid_at"} and suspect(found, "paid_at").severity == "refuse"


def test_negatives_after_positives_are_found_by_the_order_of_rows() -> None:
    order = np.argsort(-CLICK, kind="stable")
    table = pl.DataFrame(BASE).drop("user", "time")[order]
    found = profiled(table, UNTIMED)
    assert [(s.column, s.reason, s.severity) for s in found.suspects] == [("", "order or id", "refuse")]
    assert "their order in the table" in found.suspects[0].evidence


def test_positives_at_even_rows_are_found() -> None:
    even = np.empty(N, dtype=np.int64)
    ones, zeros = np.flatnonzero(CLICK), np.flatnonzero(CLICK == 0)
    few = min(len(ones), len(zeros))
    even[: 2 * few : 2], even[1 : 2 * few : 2] = ones[:few], zeros[:few]
    table = pl.DataFrame(BASE)[even[: 2 * few]].drop("user", "time")
    found = profiled(table, UNTIMED)
    assert found.suspects[0].column == "" and "remainder of their number by 2" in found.suspects[0].evidence


IDS = {
    "ranges": np.argsort(np.argsort(np.where(CLICK == 1, 2.0, 1.0) + DRAW.random(N))) + 100,
    "parity": DRAW.permutation(N) * 2 + CLICK,
    "digits": DRAW.permutation(N) * 10 + np.where(CLICK == 1, 7, DRAW.integers(10, size=N)),
    "prefix": np.array([f"{'s' if c else 'b'}{i:06d}" for i, c in zip(DRAW.permutation(N), CLICK, strict=True)]),
    "suffix": np.array([f"{i:06d}-{'s' if c else 'b'}" for i, c in zip(DRAW.permutation(N), CLICK, strict=True)]),
    "length": np.array([f"{i:06d}" + ("00" if c else "") for i, c in zip(DRAW.permutation(N), CLICK, strict=True)]),
}


@pytest.mark.parametrize("how", IDS)
def test_ids_that_give_the_label_away_are_found(how: str) -> None:
    found = suspect(only({"request_id": IDS[how]}), "request_id")
    assert found.reason in ("order or id", "knows the label")
    assert found.severity == ("look" if how == "digits" else "refuse")


@pytest.mark.parametrize(("share", "suspected"), [(0.62, True), (0.53, False)])
def test_a_trace_in_ids_is_looked_at_where_it_is_loud(share: float, suspected: bool) -> None:
    columns = honest(20_000, seed=9)
    odd = np.where(DRAW.random(20_000) < share, columns["click"], 1 - np.asarray(columns["click"]))
    found = profiled({**columns, "request_id": DRAW.permutation(20_000) * 2 + odd})
    assert [(s.column, s.severity) for s in found.suspects] == ([("request_id", "look")] if suspected else [])


@pytest.mark.parametrize("form", ["datetime", "text"])
def test_an_id_in_time_order_is_no_suspect_where_the_rate_moves_in_time(form: str) -> None:
    late = (DRAW.random(N) < np.linspace(0.1, 0.9, N)).astype(np.int64)
    time = pl.Series(BASE["time"])
    columns = {**BASE, "click": late, "request_id": np.arange(N)}
    found = profiled({**columns, "time": time.dt.to_string("iso:strict") if form == "text" else time})
    assert not found.suspects and found.drift.rates[0].drifting


def test_the_order_of_a_table_that_is_sorted_by_an_honest_column_is_no_suspect() -> None:
    columns = pl.DataFrame(honest(N, seed=3)).drop("user", "time")
    strong = (DRAW.random(N) < 1 / (1 + np.exp(-3 * columns["price"].to_numpy()))).astype(np.int64)
    table = columns.with_columns(click=strong)
    assert [s.column for s in profiled(table.sort("price"), UNTIMED).suspects] == ["price"]
    grouped = table.with_columns(country=pl.Series(np.where(strong == 1, DRAW.integers(4, size=N), DRAW.integers(2, 8, size=N))))
    assert not profiled(grouped.sort("country"), UNTIMED).suspects
    assert [s.column for s in profiled(grouped.sort("click"), UNTIMED).suspects] == [""]


def test_a_copy_of_the_label_is_called_that() -> None:
    said = np.where(CLICK == 1, "yes", "no")
    found = only({"said": said})
    assert (suspect(found, "said").reason, suspect(found, "said").severity) == ("copy", "refuse")
    assert "one to one with the column 'click'" in suspect(found, "said").evidence and not found.redundant
    rated = DRAW.integers(1, 6, size=N)
    spec = replace(SPEC, tasks=(Label("click", column="rating", at_least=4),))
    stars = profiled({**BASE, "rating": rated, "stars": [f"{r} stars" for r in rated]}, spec)
    assert {(s.column, s.reason) for s in stars.suspects} == {("stars", "copy")}


def test_the_copy_of_a_leak_is_a_leak() -> None:
    refund = [None if not c else float(v) for c, v in zip(CLICK, DRAW.random(N), strict=True)]
    found = only({"refund": refund, "money_back": refund})
    assert {s.column: s.severity for s in found.suspects} == {"refund": "refuse", "money_back": "refuse"}


def test_honest_copies_are_redundant_and_no_suspects() -> None:
    number = np.array([int(i[1:]) for i in BASE["item"]])
    found = only({"item_number": number, "price_too": BASE["price"], "price_off": np.asarray(BASE["price"]) + 1})
    assert {(g.columns, g.equal) for g in found.redundant} == {(("item", "item_number"), False), (("price", "price_too"), True)}
    assert not found.suspects


def test_an_allowed_column_is_never_refused() -> None:
    spec = replace(SPEC, numeric=(*SPEC.numeric, Numeric("said")), allow=("said",))
    assert suspect(only({"said": CLICK * 10.0 + DRAW.random(N)}, spec), "said").severity == "look"
    assert suspect(only({"said": CLICK * 10.0}, spec), "said").severity == "look"


def test_each_task_is_asked_on_the_rows_where_it_is_observed() -> None:
    second = np.where(DRAW.random(N) < 0.5, DRAW.integers(2, size=N), -1)
    spec = replace(SPEC, tasks=(Label("click"), Label("second", unobserved="-1")))
    found = only({"second": second, "hint": np.where(second >= 0, second * 2, DRAW.integers(3, size=N))}, spec)
    assert [(s.column, s.task) for s in found.suspects] == [("hint", "second")]


def test_leaks_are_found_in_the_sample_of_a_table_that_is_larger() -> None:
    rows = 30_000
    columns = honest(rows, seed=2)
    table = pl.DataFrame({**columns, "page": np.where(np.asarray(columns["click"]) == 1, 3, 4)}).sort("click")
    found = profiled_in(table.drop("user", "time"), 5000)
    assert 4500 < found.sample_rows < 5500 and found.rows == rows
    assert {(s.column, s.severity) for s in found.suspects} == {("page", "refuse"), ("", "refuse")}


def profiled_in(table: pl.DataFrame, most: int) -> Profile:
    return profile(source(table, UNTIMED), most)
