"""The areas that rules judge: they are the exact AUC of cross-fitted scores, and their errors hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.autofeature.profile.leaks.purity import purity
from agents.autofeature.profile.rates import Area, area, difference, scores_of
from sandboxes.kit.metrics import auc, group_auc


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(8, 200), st.integers(1, 30), st.integers(1, 5))
def test_the_area_is_the_auc_of_scores_from_the_other_half(seed: int, rows: int, codes: int, groups: int) -> None:
    draw = np.random.default_rng(seed)
    c, y, g = draw.integers(codes, size=rows), draw.random(rows) < 0.4, draw.integers(groups, size=rows)
    halves = draw.random(rows) < 0.5
    parts = [(auc(y[h], scores_of(c, y, ~h)[h]), int(y[h].sum()) * int((~y[h]).sum())) for h in (halves, ~halves)]
    pairs = sum(p for _, p in parts)
    expected = sum(a * p for a, p in parts if p) / pairs if pairs else 0.5
    assert area(c, y, halves).auc == pytest.approx(expected, abs=1e-9)
    ours, kit = area(c, y, halves, g), [(h, scores_of(c, y, ~h)) for h in (halves, ~halves)]
    wins = pairs = 0
    for h, scores in kit:
        for one in range(groups):
            own = h & (g == one)
            n = int(y[own].sum()) * int((~y[own]).sum())
            pairs += n
            wins += n * auc(y[own], scores[own]) if n else 0
    assert ours.pairs == pairs and ours.auc == pytest.approx(wins / pairs if pairs else 0.5, abs=1e-9)
    assert groups > 1 or np.isnan(group_auc(y, c, g)) or 0 <= ours.auc <= 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_ranked_codes_are_read_up_or_down(seed: int) -> None:
    draw = np.random.default_rng(seed)
    y, halves = draw.random(400) < 0.5, draw.random(400) < 0.5
    c = np.unique(draw.normal(size=400) + 2 * y, return_inverse=True)[1]
    up, down = area(c, y, halves, ranked=True), area(c.max() - c, y, halves, ranked=True)
    assert up.auc == pytest.approx(down.auc) and up.auc == pytest.approx(auc(y, c), abs=0.05)


def test_the_errors_are_those_that_many_tables_show() -> None:
    none, some = [], []
    for seed in range(400):
        draw = np.random.default_rng(seed)
        y, halves = draw.random(600) < 0.2, draw.random(600) < 0.5
        none.append(area(draw.integers(6, size=600), y, halves))
        ranked = np.unique(draw.normal(size=600) + 1.2 * y, return_inverse=True)[1]
        some.append(area(ranked, y, halves, ranked=True))
    assert np.mean([a.auc for a in none]) == pytest.approx(0.5, abs=0.005)
    assert np.std([a.auc for a in none]) == pytest.approx(np.mean([a.by_chance for a in none]), rel=0.1)
    spread, error = np.std([a.auc for a in some]), np.mean([a.error for a in some])
    assert 0.7 * error < spread < 1.05 * error, "rather too wide than too narrow"


def test_the_error_of_a_difference_is_that_of_many_tables() -> None:
    apart, errors = [], []
    for seed in range(300):
        draw = np.random.default_rng(seed)
        y = draw.random(400) < 0.4
        shared = draw.normal(size=400) + y
        found, error = difference(y, shared + draw.normal(size=400), shared + draw.normal(size=400))
        apart.append(found)
        errors.append(error)
    assert np.std(apart) == pytest.approx(np.mean(errors), rel=0.15) and abs(np.mean(apart)) < 0.01
    y, s = np.array([True, False, True, False, True]), np.array([3.0, 1, 2, 2, 0])
    assert difference(y, s, np.zeros(5))[0] == pytest.approx(auc(y, s) - 0.5)


def test_what_may_be_chance_has_no_lower_bound_above_a_half() -> None:
    assert Area(0.9, 0.01, 0.2, 100).low(3) == 0.5 and Area(0.4, 0.01, 0.2, 100).low(3) == 0.4
    assert Area(0.9, 0.01, 0.1, 100).low(3) == pytest.approx(0.87)


@pytest.mark.parametrize("z", [3.0, 5.0])
def test_purity_is_of_one_label_beyond_doubt(z: float) -> None:
    labels = np.arange(4000) % 2 == 0
    found = purity(labels, labels, z)
    assert found is not None and found.positive and found.exceptions == 0 and found.whole and found.expected == 1000
    few = labels & (np.arange(4000) < 100)
    assert purity(few, labels, z) is None, "50 rows of one label may be luck"
    partly = labels & (np.arange(4000) < 1600)
    half = purity(partly, labels, z)
    assert half is not None and not half.whole and half.covered == pytest.approx(0.4)
    corner = labels & (np.arange(4000) < 190)
    assert purity(corner, labels, 0.5) is None, "under a twentieth of the label"
    mixed = partly | (np.arange(4000) < 200)
    assert purity(mixed, labels, z) is None, "an eighth of the group has the other label"
    assert purity(np.zeros(4000, dtype=bool), labels, z) is None and purity(labels, np.ones(4000, dtype=bool), z) is None
    assert purity(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool), z) is None
