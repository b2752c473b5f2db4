"""Scores of prediction arrays: values, dropped labels, calibration, collapse, and arrays that cannot be scored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.compare import BadPredictions, LabelTruth, Scores, calibration

Y = np.array([[0.0], [1.0], [0.0], [1.0], [1.0], [0.0]])
P = np.array([[0.1], [0.9], [0.2], [0.3], [0.7], [0.4]], np.float32)


def scored(labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray | None, tasks: list[str]) -> Scores:
    return LabelTruth(labels, tasks, groups).score(probabilities)


def test_values_by_hand() -> None:
    """8 of 9 pairs are ranked rightly (0.3 < 0.4 is not)."""
    found = scored(Y, P, None, ["click"]).primary
    assert found.values["auc"] == pytest.approx(8 / 9)
    assert found.values["log_loss"] == pytest.approx(-np.mean(np.log([0.9, 0.9, 0.8, 0.3, 0.7, 0.6])), rel=1e-5)
    assert (found.rows, set(found.values)) == (6, {"auc", "log_loss"})
    assert found.calibration_ratio == pytest.approx(P.mean() / Y.mean())
    assert found.collapse == ""


def test_group_auc_is_that_of_users() -> None:
    """User 1 ranks its one pair rightly (2 rows), user 2 three of four pairs (4 rows): 0.3 stands below 0.4."""
    users = np.array([1, 1, 2, 2, 2, 2])
    assert scored(Y, P, users, ["click"]).primary.values["group_auc"] == pytest.approx((2 * 1 + 4 * 0.75) / 6)


def test_unobserved_labels_are_dropped_for_their_task_alone() -> None:
    second = Y.copy()
    second[[0, 3]] = np.nan
    both = scored(np.hstack([Y, second]), np.hstack([P, P]), None, ["click", "like"])
    assert both.tasks[0] == scored(Y, P, None, ["click"]).primary
    kept = [1, 2, 4, 5]
    assert both.tasks[1] == scored(Y[kept], P[kept], None, ["like"]).primary


def test_one_class_has_no_auc_and_is_no_collapse() -> None:
    found = scored(np.zeros((6, 1)), P, np.arange(6), ["click"]).primary
    assert (set(found.values), found.calibration_ratio, found.collapse) == ({"log_loss"}, None, "")


def test_a_task_without_any_label_is_scored_as_nothing() -> None:
    found = scored(np.full((6, 1), np.nan), P, None, ["click"]).primary
    assert (found.rows, found.values, found.calibration) == (0, {}, ())


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_constant_predictions_are_a_collapse(value: float) -> None:
    found = scored(Y, np.full((6, 1), value), None, ["click"])
    assert "for every row" in found.collapse


def test_ranking_by_chance_is_a_collapse_and_ranking_backwards_is_not() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random((40_000, 1)) < 0.3).astype(float)
    assert "chance" in scored(y, rng.random((40_000, 1)), None, ["click"]).collapse
    assert scored(y, 1 - np.clip(0.2 * y + rng.random((40_000, 1)) * 0.8, 0, 1), None, ["click"]).collapse == ""


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (P[:, 0], r"shape \(6,\), not \(6, 1\)"),
        (P[:5], r"shape \(5, 1\)"),
        (np.where(P > 0.8, np.nan, P), "1 of 6 predictions are NaN or infinite"),
        (np.where(P > 0.8, np.inf, P), "NaN or infinite"),
        (P - 0.2, r"lie outside \[0, 1\], for example -0.1"),
        (P.astype(object), "object"),
        (np.ones((6, 1), dtype=int), "int64"),
        (np.array([["<b>"]] * 6), "<U3"),
    ],
)
def test_bad_arrays_are_refused_in_one_sentence(array: np.ndarray, why: str) -> None:
    with pytest.raises(BadPredictions, match=why) as caught:
        scored(Y, array, None, ["click"])
    assert "\n" not in str(caught.value)


def test_calibration_bins_by_hand() -> None:
    found = calibration(np.array([0.0, 1, 0, 1]), np.array([0.1, 0.2, 0.8, 0.9]), bins=2)
    assert [(b.rows, b.observed) for b in found] == [(2, 0.5), (2, 0.5)]
    assert [b.predicted for b in found] == pytest.approx([0.15, 0.85])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=200), st.integers(2, 20))
@settings(max_examples=60, deadline=None)
def test_calibration_bins_lose_no_row_and_part_no_ties(rows: list[tuple[int, int]], bins: int) -> None:
    y, p = np.array([r[0] for r in rows], float), np.array([r[1] / 20 for r in rows])
    found = calibration(y, p, bins)
    assert sum(b.rows for b in found) == len(rows)
    assert len(found) <= bins
    assert sum(b.rows * b.predicted for b in found) == pytest.approx(p.sum())
    assert sum(b.rows * b.observed for b in found) == pytest.approx(y.sum())
    predicted = [b.predicted for b in found]
    assert predicted == sorted(set(predicted))
    edges = np.searchsorted(np.sort(p), np.sort(p)[np.cumsum([0, *(b.rows for b in found[:-1])])], side="left")
    assert list(edges) == list(np.cumsum([0, *(b.rows for b in found[:-1])]))


def test_scores_survive_their_json() -> None:
    found = scored(Y, P, np.arange(6), ["click"])
    assert Scores.model_validate_json(found.model_dump_json()) == found
