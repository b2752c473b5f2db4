"""Nothing is suspected where nothing is planted: noise, features that are honestly strong, skewed and rare ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from profiled import SPEC, UNTIMED, honest, profiled

from sandboxes.kit.data.spec import Label, Numeric


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rows", [300, 3000])
def test_fifty_columns_of_noise_raise_no_alarm(seed: int, rows: int) -> None:
    draw = np.random.default_rng(seed)
    table = {f"n{i}": draw.normal(size=rows) for i in range(15)}
    table |= {f"c{i}": draw.integers(2 + i * i, size=rows) for i in range(15)}
    table |= {f"t{i}": [f"{v}" for v in draw.integers(4**i, size=rows)] for i in range(10)}
    table |= {
        f"m{i}": [None if g else v for g, v in zip(draw.random(rows) < 0.1 * i, draw.random(rows), strict=True)] for i in range(8)
    }
    table |= {"price": draw.normal(size=rows), "item": draw.integers(30, size=rows), "user": draw.integers(50, size=rows)}
    table |= {"time": np.sort(draw.random(rows)), "click": (draw.random(rows) < 0.2).astype(int)}
    found = profiled(table)
    assert not found.suspects and not found.redundant
    assert not any(c.drifting for c in found.drift.columns) and not any(t.low > 0.5 for t in found.tells)


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_an_honest_table_raises_no_alarm(rate: float) -> None:
    found = profiled(honest(20_000, seed=5, rate=rate))
    assert not found.suspects
    best = next(t for t in found.tells if t.task == "click")
    assert best.column == "price" and best.low > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_strong_honest_features_are_not_suspected(seed: int) -> None:
    """Two numbers and a category that together tell the label well (AUC above 0.95), each of them up to 0.88."""
    rows, draw = 8000, np.random.default_rng(seed)
    a, b, c = draw.normal(size=rows), draw.normal(size=rows), draw.integers(12, size=rows)
    effect = draw.normal(size=12)[c]
    click = (draw.random(rows) < 1 / (1 + np.exp(-(5 * a + 2.5 * b + 2.5 * effect)))).astype(int)
    spec = replace(UNTIMED, numeric=(Numeric("a"), Numeric("b")))
    found = profiled({"a": a, "b": b, "item": [f"i{v}" for v in c], "click": click}, spec)
    assert not found.suspects, found.suspects
    assert 0.8 < found.tells[0].auc < 0.9


def test_several_readings_of_one_strong_feature_do_not_beat_one_another() -> None:
    rows, draw = 8000, np.random.default_rng(1)
    score = draw.normal(size=rows)
    click = (draw.random(rows) < 1 / (1 + np.exp(-6 * score))).astype(int)
    columns = {"price": score, "seen": score + draw.normal(size=rows) * 0.05, "item": draw.integers(5, size=rows), "click": click}
    found = profiled(columns, UNTIMED)
    assert found.tells[0].auc > 0.93 and not [s for s in found.suspects if s.severity == "refuse"]
    assert not found.suspects


def test_users_who_differ_and_come_in_turn_make_no_order() -> None:
    """A table in order of users, who differ in how often they click."""
    rows, draw = 6000, np.random.default_rng(2)
    user = np.sort(draw.integers(60, size=rows))
    click = (draw.random(rows) < draw.beta(0.5, 0.5, size=60)[user]).astype(int)
    columns = {**honest(rows), "user": [f"u{(u * 37) % 60}" for u in user], "click": click}
    spec = replace(UNTIMED, user="user")
    table = pl.DataFrame(columns).drop("time").with_columns(request_id=np.arange(rows))
    found = profiled(table, spec)
    assert not found.suspects and found.tells[0].auc > 0.8


def test_an_expiry_that_is_usually_past_is_no_suspect() -> None:
    rows, draw = 3000, np.random.default_rng(3)
    columns = honest(rows)
    away = pl.Series("time", columns["time"]) + pl.Series(draw.normal(-10, 8, size=rows) * 86400 * 1e6).cast(pl.Duration("us"))
    assert not profiled({**columns, "published_at": away}).suspects


def test_rare_labels_are_not_taken_for_pure_groups() -> None:
    rows, draw = 20_000, np.random.default_rng(4)
    columns = {**honest(rows), "click": (draw.random(rows) < 0.003).astype(int)}
    columns["hint"] = [None if g else 1.0 for g in draw.random(rows) < 0.97]
    assert not profiled(columns).suspects


@pytest.mark.parametrize("positives", [0, 5, 29])
def test_too_few_positives_tell_nothing(positives: int) -> None:
    rows = 1000
    click = (np.arange(rows) < positives).astype(int)
    found = profiled({**honest(rows), "click": click, "hint": click + 5}, SPEC)
    assert [s.reason for s in found.suspects] == (["copy"] if positives >= 10 else [])


def test_another_tasks_label_is_no_suspect() -> None:
    columns = honest(3000)
    spec = replace(SPEC, tasks=(Label("click"), Label("again")))
    assert not profiled({**columns, "again": columns["click"]}, spec).suspects
