"""Rows that stand more than once, and labels that contradict each other."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from profiled import UNTIMED, honest, profiled


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=60))
def test_duplicates_are_those_of_a_naive_count(rows: list[tuple[str, int, int]]) -> None:
    table = pl.DataFrame(rows, schema=["item", "price", "click"], orient="row")
    found = profiled(table, UNTIMED).duplicates
    features = [r[:2] for r in rows]
    assert found.rows == len(rows) - len(set(rows)) and found.alike == len(rows) - len(set(features))
    both = {f for f in features if len({r[2] for r in rows if r[:2] == f}) == 2}
    assert found.contradictions[0].rows == sum(f in both for f in features)
    assert found.contradictions[0].share == found.contradictions[0].rows / len(rows)


def test_missing_values_are_alike_and_unused_columns_set_rows_apart() -> None:
    columns = {k: v for k, v in honest(100).items() if k in ("item", "price", "click")}
    table = pl.DataFrame(columns).with_columns(
        price=pl.Series([None, float("nan")] * 50), item=pl.lit("i"), row=pl.Series(range(100))
    )
    found = profiled(table, UNTIMED).duplicates
    assert found.rows == 0 and found.alike == 99 and found.contradictions[0].share == 1.0
    assert profiled(table.drop("row"), UNTIMED).duplicates.rows == 98


def test_rows_without_a_label_contradict_nothing() -> None:
    click = np.where(np.arange(100) % 2 == 0, 1.0, np.nan)
    found = profiled({**honest(100), "price": [1.0] * 100, "item": ["i"] * 100, "click": click}).duplicates
    assert found.alike == 99 and found.contradictions[0].rows == 0
