"""Residuals: noise of any cardinality explains nothing, what was planted is found, and is found once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from agents.autofeature.residuals import Residuals, pairs, sigmoid
from agents.autofeature.screening import LEAST_Z, screened

N = 8000


def rows(effect: np.ndarray, seed: int = 0) -> Residuals:
    """Of a model that knows the rate of each row but for the effect."""
    rng = np.random.default_rng(seed)
    known = rng.normal(-1, 0.7, N)
    labels = (rng.random(N) < sigmoid(known + effect)).astype(float)
    return Residuals(np.arange(N), labels, known)


@pytest.mark.parametrize("cardinality", [2, 20, 500, 5000])
def test_z_of_noise_is_about_standard_normal(cardinality: int) -> None:
    found = []
    for seed in range(300):
        codes = np.random.default_rng(seed + 1000).integers(cardinality, size=N)
        found.append(rows(np.zeros(N), seed).explained_by(codes).z)
    z = np.array(found)
    assert abs(z.mean()) < 0.25 and 0.8 < z.std() < 1.25
    assert (z > 3).mean() < 0.03  # of few values it is a centred chi-square, whose tail is the longer


def test_a_column_of_values_that_all_differ_explains_nothing() -> None:
    found = rows(np.zeros(N)).explained_by(np.arange(N))
    assert (found.z, found.variance) == (0.0, 0.0)


def test_what_is_planted_is_found_with_its_size() -> None:
    rng = np.random.default_rng(3)
    codes, values = rng.integers(100, size=N), rng.normal(0, 0.8, 100)
    found = rows(values[codes]).explained_by(codes)
    assert found.z > 20 and 0.4 < found.variance < 0.9  # it is drawn to 0, since the labels are few


def test_together_counts_only_what_neither_has_alone() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.integers(20, size=N), rng.integers(20, size=N)
    alone = rows(rng.normal(size=20)[a] + rng.normal(size=20)[b])
    assert alone.explained_together(a, b).z < 3 < alone.explained_by(a).z
    crossed = rows(rng.normal(size=(20, 20))[a, b])
    assert crossed.explained_together(a, b).z > 20


def test_pairs_are_told_apart_however_many_there_may_be() -> None:
    rng = np.random.default_rng(5)
    for high in (10, 100_000):
        a, b = rng.integers(high, size=500), rng.integers(high, size=500)
        codes = pairs(a, b)
        assert len(np.unique(codes)) == len({*zip(a.tolist(), b.tolist(), strict=True)})


def test_what_says_the_same_is_chosen_once() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.integers(30, size=N), rng.integers(30, size=N)
    residuals = rows(1.0 * rng.normal(size=30)[a] + 0.6 * rng.normal(size=30)[b])
    noise = {f"noise{i}": rng.integers(50, size=N) for i in range(5)}
    found = screened(residuals, {"a": a, "a again": a + 1, "b": b, **noise}, most=8)
    chosen = [s.name for s in found if s.chosen]
    assert chosen[:2] in (["a", "b"], ["a again", "b"]) and len(chosen) <= 3
    assert len(found) == 8 and all(s.z >= LEAST_Z for s in found if s.chosen)
    assert [s.name for s in screened(residuals, {"a": a, "b": b}, most=1) if s.chosen] == ["a"]


def test_sigmoid_is_the_inverse_of_logit() -> None:
    p = np.array([1e-6, 0.3, 0.5, 1 - 1e-6])
    assert np.allclose(sigmoid(logit(p)), p)
