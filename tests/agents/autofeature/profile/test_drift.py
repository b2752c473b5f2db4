"""What drifts is found, and a stationary column is called drifting no more often than the level says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from profiled import SPEC, START, UNTIMED, honest, profiled

from agents.autofeature.profile import Profile
from agents.autofeature.profile.drift import LEVEL, cells_of_numbers, cells_of_values, holm, homogeneity, judged, moved
from sandboxes.kit.data.spec import Split

N = 8000
BASE = honest(N, seed=11)
LATE = np.arange(N) / N


def drift_of(found: Profile, column: str) -> Any:
    return next(c for c in found.drift.columns if c.column == column)


def test_a_mean_that_moves_is_found_and_others_are_not() -> None:
    draw = np.random.default_rng(0)
    found = profiled({**BASE, "moves": draw.normal(size=N) + LATE, "still": draw.normal(size=N)})
    assert [c.column for c in found.drift.columns if c.drifting] == ["moves"]
    moves = drift_of(found, "moves")
    assert moves.level == "large" and list(moves.psi) == sorted(moves.psi) and len(moves.psi) == 8 and len(moves.steps) == 7
    assert moves.psi[0] == 0 and max(moves.steps) < moves.psi[-1] and moves.new is None
    still = drift_of(found, "still")
    assert (
        still.level == "none" and still.psi[-1] < 4 * still.expected and still.expected == pytest.approx(9 * 2 / 1000, rel=0.01)
    )


def test_a_step_is_seen_where_it_happens() -> None:
    found = profiled({**BASE, "version": np.where(LATE < 0.5, 1.0, 2.0) + np.random.default_rng(0).integers(3, size=N)})
    assert int(np.argmax(drift_of(found, "version").steps)) == 3


def test_a_category_that_moves_is_found_with_its_new_values() -> None:
    draw = np.random.default_rng(1)
    late = draw.random(N) < np.where(LATE < 0.75, 0, 0.5)
    found = profiled(
        {**BASE, "campaign": [f"new{v}" if n else f"old{v}" for n, v in zip(late, draw.integers(9, size=N), strict=True)]}
    )
    campaign = drift_of(found, "campaign")
    assert campaign.level == "large" and campaign.new[:2] == (1.0, 0.0)
    assert campaign.new[6] == pytest.approx(0.5, abs=0.05) and campaign.new[7] == 0
    assert drift_of(found, "item").new == (1.0, *[0.0] * 7)


def test_missing_values_that_begin_are_drift() -> None:
    found = profiled({**BASE, "sensor": [None if v > 0.8 else 1.0 + v % 0.1 for v in LATE]})
    assert drift_of(found, "sensor").level == "large"


def test_the_positive_rate_by_window() -> None:
    click = (np.random.default_rng(2).random(N) < 0.1 + 0.3 * LATE).astype(int)
    found = profiled({**BASE, "click": click})
    rates = [w.rates[0] for w in found.drift.windows]
    assert rates == [pytest.approx(float(part.mean())) for part in np.split(click, 8)]
    assert found.drift.rates[0].drifting and [w.rows for w in found.drift.windows] == [N // 8] * 8
    assert found.drift.windows[0].said == "2026-01-01 to 2026-01-01 16:39:00".replace(":00", "")
    still = profiled({**BASE, "click": np.random.default_rng(2).permutation(click)})
    assert not still.drift.rates[0].drifting


@pytest.mark.parametrize("kind", ["number", "category", "few values", "mostly zero"])
def test_a_stationary_column_is_called_drifting_at_the_nominal_rate(kind: str) -> None:
    times, alarms = 600, 0
    windows = (np.arange(1600) // 200).astype(np.int8)
    for seed in range(times):
        draw = np.random.default_rng(seed)
        cells = {
            "number": lambda d: cells_of_numbers(d.normal(size=1600), windows),
            "category": lambda d: cells_of_values(np.minimum(d.geometric(0.05, size=1600), 80)),
            "few values": lambda d: cells_of_numbers(d.integers(4, size=1600).astype(float), windows),
            "mostly zero": lambda d: cells_of_numbers(np.where(d.random(1600) < 0.9, 0, d.normal(size=1600)), windows),
        }[kind](draw)
        alarms += moved(cells, windows, 8).p_value < 0.05
    assert alarms / times <= 0.05 + 3 * (0.05 * 0.95 / times) ** 0.5
    assert kind == "mostly zero" or alarms / times >= 0.02, "the test has power"


def test_a_handful_of_rows_is_no_drift() -> None:
    windows, cells = (np.arange(1600) // 200).astype(np.int8), np.arange(1600) % 2
    cells[1590:1593] = 2
    assert moved(cells, windows, 8).p_value > 0.5


@pytest.mark.parametrize(("shift", "level"), [(0.25, "slight"), (0.5, "moderate"), (1.0, "large")])
def test_how_much_a_column_drifts_has_a_word(shift: float, level: str) -> None:
    found = profiled({**BASE, "moves": np.random.default_rng(0).normal(size=N) + shift * LATE})
    assert drift_of(found, "moves").level == level


def test_the_index_of_noise_is_what_is_expected_of_it() -> None:
    windows = (np.arange(4000) // 500).astype(np.int8)
    found = [moved(np.random.default_rng(s).integers(10, size=4000), windows, 8) for s in range(200)]
    assert np.mean([m.psi[-1] for m in found]) == pytest.approx(found[0].expected, rel=0.1)


def test_the_level_is_shared_by_all_columns() -> None:
    windows, alarms, tables = (np.arange(800) // 100).astype(np.int8), 0, 300
    for seed in range(tables):
        draw = np.random.default_rng(seed)
        numbers = {f"n{i}": moved(cells_of_numbers(draw.normal(size=800), windows), windows, 8) for i in range(20)}
        values = {f"c{i}": moved(cells_of_values(draw.integers(5, size=800)), windows, 8) for i in range(20)}
        found = judged({**numbers, **values}, {})
        assert all(c.level == "none" for c in found if not c.drifting)
        alarms += any(c.drifting for c in found)
    assert LEVEL == 0.01 and alarms <= 9, "three standard errors above three"


def test_holm_rejects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03], 0.05) == [True, False, False]
    assert holm([0.01, 0.02, 0.03], 0.05) == [True, True, True] and holm([], 0.05) == []
    assert holm([0.9, 0.001], 0.05) == [False, True]


def test_homogeneity_is_the_chi_square_test() -> None:
    from scipy.stats import chi2_contingency

    table = np.array([[10, 20, 30], [20, 20, 20], [11, 19, 25]])
    assert homogeneity(table) == pytest.approx(chi2_contingency(table).pvalue)
    assert homogeneity(np.array([[5, 0], [7, 0]])) == 1.0 and homogeneity(np.zeros((3, 4), dtype=int)) == 1.0


@pytest.mark.parametrize("form", ["text", "seconds", "date", "rows"])
def test_every_form_of_time_makes_windows(form: str) -> None:
    moments = pl.Series([START + timedelta(hours=int(i)) for i in range(N)])
    time = {
        "text": moments.dt.to_string("iso:strict"),
        "seconds": moments.dt.epoch("s"),
        "date": moments.dt.date(),
        "rows": pl.Series(range(N)),
    }[form]
    found = profiled({**BASE, "time": time})
    assert len(found.drift.windows) == 8 and found.drift.order == "time"
    assert found.drift.windows[0].said.startswith("0 to" if form == "rows" else "2026-01-01")


def test_given_splits_are_windows_where_there_is_no_time() -> None:
    split = np.repeat(["Train", "valid", "test"], [N // 2, N // 4, N // 4])
    spec = replace(UNTIMED, split=Split(by="given"))
    found = profiled({**BASE, "split": split, "moves": np.where(split == "test", 1.0, 0.0) + np.arange(N) % 5}, spec)
    assert [w.said for w in found.drift.windows] == ["train", "valid", "test"] and found.drift.order == "split"
    assert [c.column for c in found.drift.columns if c.drifting] == ["moves"]


@pytest.mark.parametrize(
    ("columns", "spec", "words"),
    [
        ({}, UNTIMED, "no column of time"),
        ({"time": [START] * N}, SPEC, "nearly the same time"),
        ({"time": ["soon"] * N}, SPEC, "cannot be read"),
        ({"time": [None] * N}, SPEC, "too few"),
    ],
)
def test_where_there_is_no_order_it_is_said(columns: dict[str, Any], spec: Any, words: str) -> None:
    found = profiled({**BASE, **columns}, spec)
    assert words in found.drift.unavailable and not found.drift.windows and not found.drift.columns


def test_rows_without_a_time_are_in_no_window() -> None:
    time = [None if i % 2 else t for i, t in enumerate(BASE["time"])]
    found = profiled({**BASE, "time": time})
    assert sum(w.rows for w in found.drift.windows) == N // 2
    assert drift_of(found, "item").new == (1.0, *[0.0] * 7)
