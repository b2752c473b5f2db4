"""Rows, rates and codes that methods rest on: no row's encoding knows its own label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.autofeature.selection.codes import binned, coded_fields, dense
from agents.autofeature.selection.information_gain import _scored, mutual_information
from agents.autofeature.selection.sample import Sample, sampled
from agents.autofeature.selection.target_rates import HELD_OUT, SMOOTHING, drawn_folds, rates_of_codes, rates_of_entries
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Split, TableSpec
from sandboxes.kit.datasets.synthetic_features import SyntheticFeatures, synthetic_source
from sandboxes.kit.schema import CategoricalField, Schema, SequenceField


def test_rates_by_hand() -> None:
    codes, labels = np.array([0, 0, 0, 1]), np.array([1.0, 0.0, 1.0, 0.0])
    folds = np.array([0, 1, 1, 0])
    start = SMOOTHING * 0.5
    wanted = [(0 + 1 + start) / (2 + SMOOTHING), (1 + start) / (1 + SMOOTHING), (1 + start) / (1 + SMOOTHING), 0.5]
    assert rates_of_codes(codes, labels, folds) == pytest.approx(wanted)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 6))
def test_a_flipped_label_moves_no_encoding_of_its_fold_but_by_the_mean(seed: int, n: int, values: int) -> None:
    """Within a fold, rows of one code are encoded alike, whatever their own labels are."""
    random = np.random.default_rng(seed)
    codes, labels, folds = random.integers(values, size=n), random.integers(2, size=n).astype(float), drawn_folds(n, seed, 3)
    rates = rates_of_codes(codes, labels, folds)
    for fold in range(3):
        own = np.flatnonzero(folds == fold)
        if len(own) > 1:  # the mean stays what it is when labels change places
            turned = labels.copy()
            turned[own] = turned[np.roll(own, 1)]
            assert np.allclose(rates_of_codes(codes, turned, folds)[own], rates[own])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 40), st.integers(1, 6))
def test_rows_held_out_encode_nobody_and_are_encoded_by_all_others(seed: int, n: int, values: int) -> None:
    random = np.random.default_rng(seed)
    codes, labels, held = random.integers(values, size=n), random.integers(2, size=n).astype(float), np.arange(n) < n // 2
    history = random.integers(0, values + 1, (n, 3))
    folds = np.where(held, HELD_OUT, drawn_folds(n, seed, 2))
    for encode, given_ in ((rates_of_codes, codes), (rates_of_entries, history)):
        turned = np.where(held, 1 - labels, labels)
        assert np.array_equal(encode(given_, turned, folds), encode(given_, labels, folds))
    own, known = codes == codes[0], ~held
    wanted = (labels[own & known].sum() + SMOOTHING * labels[known].mean()) / ((own & known).sum() + SMOOTHING)
    assert rates_of_codes(codes, labels, folds)[0] == pytest.approx(wanted)


def test_rates_of_entries_are_means_over_what_is_there() -> None:
    history = np.array([[0, 2], [2, 3], [0, 0], [3, 3]])
    labels, folds = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 1, 0, 1])
    mean = 0.5
    of_two = (0 + SMOOTHING * mean) / (1 + SMOOTHING)  # by the second row
    assert rates_of_entries(history, labels, folds)[[0, 2]] == pytest.approx([of_two, mean])
    of_three = SMOOTHING * mean / SMOOTHING  # no row of the first fold holds it
    of_two = (1 + SMOOTHING * mean) / (1 + SMOOTHING)
    assert rates_of_entries(history, labels, folds)[[1, 3]] == pytest.approx([(of_two + of_three) / 2, of_three])


def test_a_history_says_whether_it_holds_what_the_row_is_about() -> None:
    random, n = np.random.default_rng(0), 600
    ids = random.integers(2, 8, (n, 1))
    history = random.integers(2, 8, (n, 4))
    schema = Schema((CategoricalField("kind", 8),), sequences=(SequenceField("past", "kind", 4),))
    labels = (history == ids).any(1).astype(float)
    sample = Sample(schema, "label", labels, ids, np.zeros((n, 0)), {"past": history})
    codes = dict(coded_fields(sample, drawn_folds(n, 0)))
    assert mutual_information(codes["past"], labels) == pytest.approx(mutual_information(labels.astype(int), labels))
    assert mutual_information(codes["kind"], labels) < 0.05


def test_a_history_says_whether_it_is_empty() -> None:
    random, n = np.random.default_rng(1), 900
    length = random.integers(0, 3, n)
    history = np.where(np.arange(2) < length[:, None], random.integers(2, 8, (n, 2)), 0)
    schema = Schema((CategoricalField("kind", 99),), sequences=(SequenceField("past", "kind", 2),))
    labels = (length > 0).astype(float)
    sample = Sample(schema, "label", labels, np.full((n, 1), 90), np.zeros((n, 0)), {"past": history})
    codes = dict(coded_fields(sample, drawn_folds(n, 0)))["past"]
    assert mutual_information(codes, labels) == pytest.approx(mutual_information((length > 0).astype(int), labels))


def test_folds_are_even_and_drawn_by_seed() -> None:
    folds = drawn_folds(103, 4)
    assert set(np.bincount(folds)) == {20, 21} and np.array_equal(folds, drawn_folds(103, 4))
    assert not np.array_equal(folds, drawn_folds(103, 5))


def test_bins_are_full_and_equal_values_lie_together() -> None:
    codes = binned(np.random.default_rng(0).standard_cauchy(3200), 32)
    assert codes.max() == 31 and set(np.bincount(codes)) == {100}
    assert binned(np.array([5.0, 1.0, 1.0, 1.0, 7.0, 1.0]), 3).tolist() == [1, 0, 0, 0, 1, 0]
    assert dense(np.array([9, 2, 9, 4])).tolist() == [2, 0, 2, 1]


def test_mutual_information_by_hand() -> None:
    labels = np.array([1.0, 1.0, 0.0, 0.0])
    assert mutual_information(np.array([0, 0, 1, 1]), labels) == pytest.approx(np.log(2))
    assert mutual_information(np.array([0, 1, 0, 1]), labels) == pytest.approx(0, abs=1e-12)
    told = np.log(2) - 0.75 * -(2 / 3 * np.log(2 / 3) + 1 / 3 * np.log(1 / 3))
    assert mutual_information(np.array([0, 0, 0, 1]), labels) == pytest.approx(told)


def test_the_error_of_information_is_of_its_rows_and_of_chance() -> None:
    random = np.random.default_rng(2)
    codes, labels = random.integers(40, size=500), random.integers(2, size=500).astype(float)
    shuffles = [random.permutation(labels) for _ in range(6)]
    found = _scored("x", codes, labels, shuffles)
    rates, mean = np.array([labels[codes == c].mean() for c in range(40)])[codes], labels.mean()
    told = np.log(np.where(labels == 1, rates / mean, (1 - rates) / (1 - mean)))
    chance = [mutual_information(codes, s) for s in shuffles]
    assert told.mean() == pytest.approx(mutual_information(codes, labels))
    assert found.score == pytest.approx(told.mean() - np.mean(chance))
    assert found.standard_error == pytest.approx(np.sqrt(told.var() / 500 + np.var(chance, ddof=1)))


def test_rows_are_drawn_evenly_from_train(tmp_path: Path) -> None:
    made = prepare(synthetic_source(SyntheticFeatures(rows=5_000)), tmp_path)
    sample, rows = sampled(made, 0, most=400), load_split(made.visible, "train")
    own = np.linspace(0, len(rows) - 1, 400).astype(int)
    assert len(sample) == 400 and np.array_equal(sample.ids, rows.ids[own]) and rows.labels is not None
    assert np.array_equal(sample.labels, rows.labels[own, 0]) and np.array_equal(sample.numeric, rows.numeric[own])
    assert len(sampled(made, 0)) == 4_000


def test_rows_without_the_label_are_left_out(tmp_path: Path) -> None:
    n = 600
    click = np.arange(n) % 2
    buy = [None if i % 3 == 0 else int(i % 4 == 1) for i in range(n)]
    log = pl.DataFrame({"row": np.arange(n), "kind": np.arange(n) % 7, "click": click, "buy": buy})
    spec = TableSpec("made", (Label("click"), Label("buy")), (Categorical("kind"),), split=Split(key=("row",)))
    made = prepare(Source(spec, lambda: log, "with labels that are missing"), tmp_path)
    first, second = sampled(made, 0), sampled(made, 1)
    assert (first.task, second.task) == ("click", "buy") and len(first) == made.sizes["train"]
    assert 0.6 < len(second) / len(first) < 0.73 and set(second.labels) == {0.0, 1.0}
