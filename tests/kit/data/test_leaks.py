"""Leaks: definite ones stop, suspicious ones are recorded, clean data passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sandboxes.kit.data import DataError, LeakCheck, Prepared
from sandboxes.kit.data.leaks import check_copies, check_time
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec

N = 2000
RANDOM = np.random.default_rng(0)
CLICK = (RANDOM.random(N) < 0.3).astype(int)
TABLE = pl.DataFrame(
    {
        "row": np.arange(N),
        "item": RANDOM.integers(20, size=N),
        "price": RANDOM.normal(size=N),
        "refund": CLICK * 10 + RANDOM.random(N),  # known after the click only
        "page": ["thanks" if c else "list" for c in CLICK],
        "hint": np.where(RANDOM.random(N) < 0.98, CLICK, 1 - CLICK),
        "click": CLICK,
    }
)
SPEC = TableSpec("shop", (Label("click"),), (Categorical("item"),), (Numeric("price"),), split=Split(key=("row",)))


def made(spec: TableSpec, folder: Path, table: pl.DataFrame = TABLE) -> Prepared:
    return prepare(Source(spec, lambda: table, content=str(table.hash_rows().sum())), folder)


def check(prepared: Prepared, words: str) -> LeakCheck:
    return next(c for c in prepared.leak_checks if words in c.name)


def test_clean_data_passes(tmp_path: Path) -> None:
    prepared = made(SPEC, tmp_path)
    assert all(c.passed for c in prepared.leak_checks) and not prepared.warnings


@pytest.mark.parametrize("spec", [replace(SPEC, numeric=(Numeric("refund"),)), replace(SPEC, categorical=(Categorical("page"),))])
def test_a_feature_that_is_the_label_stops(spec: TableSpec, tmp_path: Path) -> None:
    name = (spec.features[0] if spec.categorical != SPEC.categorical else spec.features[-1]).name
    with pytest.raises(DataError, match=f"the feature '{name}' alone tells 'click'"):
        made(spec, tmp_path)
    assert not list(tmp_path.iterdir()), "nothing half-made is left"
    allowed = made(replace(spec, allow=(name,)), tmp_path)
    assert not check(allowed, "feature").passed and name in allowed.warnings[0]


def test_a_feature_that_is_the_label_upside_down_stops(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'refund' alone tells"):
        made(replace(SPEC, numeric=(Numeric("refund"),)), tmp_path, TABLE.with_columns(-pl.col("refund")))


def test_the_label_under_another_task_is_found(tmp_path: Path) -> None:
    table = TABLE.with_columns(pl.Series("second", RANDOM.integers(2, size=N)))
    spec = replace(SPEC, tasks=(Label("second"), Label("click")), categorical=(Categorical("page"),))
    with pytest.raises(DataError, match="tells 'click'"):
        made(spec, tmp_path, table)


def test_an_almost_perfect_feature_is_suspicious(tmp_path: Path) -> None:
    table = TABLE.with_columns(pl.Series("hint", np.where(np.arange(N) % 200 == 0, 1 - CLICK, CLICK)))
    prepared = made(replace(SPEC, categorical=(Categorical("hint"),)), tmp_path, table)
    assert not check(prepared, "feature").passed and "hint alone predicts click with AUC 0.9" in prepared.warnings[0]


def test_a_test_file_inside_the_train_file_stops(tmp_path: Path) -> None:
    spec = replace(SPEC, split=Split(by="given"))
    train = TABLE.with_columns(pl.lit("train").alias("split"))
    inside = train[-400:].with_columns(pl.Series("split", ["valid"] * 200 + ["test"] * 200))
    with pytest.raises(DataError, match="100% of the valid rows stand in train too"):
        made(spec, tmp_path, pl.concat([train, inside]))
    few = pl.concat([train[:-380], inside])
    prepared = made(spec, tmp_path, few)
    assert not check(prepared, "two splits").passed and "10.00% of valid rows" in check(prepared, "two splits").detail


def test_equal_rows_never_fall_apart_by_hash(tmp_path: Path) -> None:
    twice = pl.concat([TABLE.drop("row")] * 2)
    prepared = made(replace(SPEC, split=Split()), tmp_path, twice)
    assert check(prepared, "two splits").detail.startswith("0.00% of valid rows")


def test_copies_are_counted() -> None:
    hashes = np.array([1, 2, 3, 4, 9, 1, 8, 7, 5, 2], dtype=np.uint64)
    codes = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2], dtype=np.int8)
    found = check_copies(hashes, codes)
    assert not found.passed and "33.33% of valid" in found.detail and "33.33% of test" in found.detail


def test_order_in_time() -> None:
    codes = np.array([0, 0, 1, 2], dtype=np.int8)
    users = np.zeros(4, dtype=np.int64)
    assert check_time(np.array([1.0, 2, 3, 4]), codes, "given", users).passed
    assert check_time(np.array([1.0, 2, 2, 4]), codes, "given", None).passed is False
    early = check_time(np.array([1.0, 4, 5, 3]), codes, "given", users)
    assert not early.passed and "100.0% of test rows" in early.detail
    apart = check_time(np.array([1.0, 4, 2, 3]), codes, "given", np.array([0, 1, 0, 0]))
    assert apart.passed and "across users it is not" in apart.detail
    assert "later than test rows" in check_time(np.array([1.0, 4, 5, 3]), codes, "random", None).detail
    of_one_instant = check_time(np.array([1.0, 2, 2, 2]), codes, "last", users)
    assert of_one_instant.passed and "last rows of each user" in of_one_instant.detail
