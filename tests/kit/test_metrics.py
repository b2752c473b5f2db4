"""Metrics against brute force: every pair counted, every group by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sandboxes.kit.metrics import auc, group_auc, log_loss

LABELS = st.sampled_from([0.0, 1.0, math.nan])
FEW_SCORES = st.sampled_from([-2.0, -0.5, 0.0, 0.1, 0.1000001, 3.0])  # so few that ties abound
ROWS = st.lists(st.tuples(LABELS, FEW_SCORES, st.integers(0, 3)), max_size=30)
Floats = NDArray[np.float64]


def columns(rows: list[tuple[float, float, int]]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    y, s, g = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(y, dtype=float), np.array(s, dtype=float), np.array(g, dtype=np.int64)


def pairs(labels: Floats, scores: Floats) -> float:
    """The share of (positive, negative) pairs in the right order, a tie counting half."""
    positives = [s for y, s in zip(labels, scores, strict=True) if y == 1]
    negatives = [s for y, s in zip(labels, scores, strict=True) if y == 0]
    if not positives or not negatives:
        return math.nan
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return float(wins / (len(positives) * len(negatives)))


def same(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or a == pytest.approx(b, abs=1e-12)


@given(ROWS)
def test_auc_counts_pairs(rows: list[tuple[float, float, int]]) -> None:
    y, s, _ = columns(rows)
    assert same(auc(y, s), pairs(y, s))


@given(ROWS)
def test_group_auc_is_the_mean_over_groups_weighted_by_rows(rows: list[tuple[float, float, int]]) -> None:
    y, s, g = columns(rows)
    seen = ~np.isnan(y)
    areas, weights = [], []
    for group in set(g[seen].tolist()):
        own = seen & (g == group)
        area = pairs(y[own], s[own])
        if not math.isnan(area):
            areas.append(area)
            weights.append(own.sum())
    wanted = float(np.average(areas, weights=weights)) if areas else math.nan
    assert same(group_auc(y, s, g), wanted)


@given(st.lists(st.tuples(LABELS, st.floats(0, 1)), max_size=20))
def test_log_loss_is_the_mean_negative_log_likelihood(rows: list[tuple[float, float]]) -> None:
    seen = [(y, min(max(p, 1e-7), 1 - 1e-7)) for y, p in rows if not math.isnan(y)]
    wanted = -sum(math.log(p) if y else math.log1p(-p) for y, p in seen) / len(seen) if seen else math.nan
    got = log_loss(np.array([y for y, _ in rows], dtype=float), np.array([p for _, p in rows], dtype=float))
    assert (math.isnan(got) and math.isnan(wanted)) or got == pytest.approx(wanted, rel=1e-9)


@given(ROWS)
def test_auc_depends_on_order_only(rows: list[tuple[float, float, int]]) -> None:
    y, s, g = columns(rows)
    assert same(auc(y, s), auc(y, np.exp(s)))
    assert same(auc(y, s), 1 - auc(y, -s))
    assert same(group_auc(y, s, g), group_auc(y, s, -g * 1000))


def test_a_certain_and_wrong_prediction_costs_much_but_not_infinity() -> None:
    assert log_loss([1.0], [0.0]) == pytest.approx(-math.log(1e-7))


def test_float32_scores_are_not_rounded_away_over_a_large_set() -> None:
    random = np.random.default_rng(0)
    y = (random.random(300_000) < 0.5).astype(np.float32)
    s = random.random(300_000).astype(np.float32)
    other = np.argsort(np.argsort(s, kind="stable"), kind="stable")  # nearly no ties: ranks give almost the same area
    assert auc(y, s) == pytest.approx(auc(y, other), abs=1e-7)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="same length"):
        auc([0.0, 1.0], [0.5])
