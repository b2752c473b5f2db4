"""Entropy, weights, clusters and mixing keep to their bounds whatever they are given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from memory.retrieval.clusters import centroids, mixed, unit
from memory.retrieval.familiarity import probabilities, uncertainty
from memory.retrieval.router import LEAST, certainty

scores = st.lists(st.floats(-1, 1), min_size=2, max_size=60)
temperatures = st.floats(0.005, 2)
matrices = st.integers(1, 20).flatmap(lambda n: arrays(np.float32, (n, 6), elements=st.floats(-1, 1, width=32)))


def units(matrix: np.ndarray) -> np.ndarray:
    matrix[:, 0] += 2  # none is zero
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


@given(scores, temperatures)
def test_uncertainty_is_a_share(given: list[float], temperature: float) -> None:
    assert 0 <= uncertainty(given, temperature) <= 1
    assert probabilities(given, temperature).sum() == pytest.approx(1)


@given(scores, temperatures, st.floats(-1, 1))
def test_uncertainty_knows_no_order_and_no_level(given: list[float], temperature: float, shift: float) -> None:
    before = uncertainty(given, temperature)
    assert uncertainty(given[::-1], temperature) == pytest.approx(before, abs=1e-9)
    assert uncertainty([s + shift for s in given], temperature) == pytest.approx(before, abs=1e-6)


@given(st.integers(2, 60), st.floats(-1, 1), temperatures)
def test_equal_scores_are_wholly_uncertain(n: int, score: float, temperature: float) -> None:
    assert uncertainty([score] * n, temperature) == pytest.approx(1)


def test_one_that_stands_alone_is_certain() -> None:
    assert uncertainty([0.9, *[0.0] * 20], 0.02) == pytest.approx(0, abs=1e-6)
    assert uncertainty([], 0.05) == uncertainty([0.7], 0.05) == 1


@given(scores, temperatures)
def test_weights_are_bounded(given: list[float], temperature: float) -> None:
    assert 1 <= certainty(given, temperature) <= 1 / LEAST


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.4))
def test_the_more_the_first_stands_out_the_surer(lead: float, more: float) -> None:
    rest = [0.1] * 9
    assert uncertainty([0.1 + lead + more, *rest], 0.1) < uncertainty([0.1 + lead, *rest], 0.1)


@given(matrices, st.integers(1, 8))
def test_centroids_are_few_and_unit(matrix: np.ndarray, k: int) -> None:
    vectors = units(matrix)
    centres = centroids(vectors, k)
    assert 1 <= len(centres) <= min(k, len(vectors))
    assert np.linalg.norm(centres, axis=1) == pytest.approx(np.ones(len(centres)), abs=1e-4)
    assert np.array_equal(centres, centroids(vectors, k))


def test_centroids_find_what_lies_apart() -> None:
    groups = np.repeat(np.eye(3, 6, dtype=np.float32), 5, axis=0) + np.float32(0.01)
    centres = centroids(units(groups - np.eye(1, 6, dtype=np.float32) * 2), 3)
    assert sorted((centres @ np.eye(3, 6, dtype=np.float32).T).argmax(axis=1)) == [0, 1, 2]


@given(matrices, st.floats(0, 1))
def test_a_mixed_query_lies_between(matrix: np.ndarray, kept: float) -> None:
    query, centre = units(matrix)[[0, -1]]
    between = mixed(query, centre, kept)
    assert np.linalg.norm(between) == pytest.approx(1, abs=1e-4)
    assert between @ query >= query @ centre - 1e-4
    assert between @ centre >= query @ centre - 1e-4


def test_what_cancels_out_has_no_direction() -> None:
    x = np.eye(1, 4, dtype=np.float32)[0]
    assert np.isfinite(mixed(x, -x, 0.5)).all()
    assert np.isfinite(unit(np.zeros(4, np.float32))).all()
