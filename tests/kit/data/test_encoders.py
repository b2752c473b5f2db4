"""Vocabularies, scalers and given sequences: fitted on train alone, total on everything else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.kit.data.dictionary import Dictionary
from sandboxes.kit.data.given_sequences import encode_sequences, tokens
from sandboxes.kit.data.numbers import fit_scaler
from sandboxes.kit.data.vocabulary import Vocabulary, fit_vocabulary

VALUE = st.one_of(st.none(), st.sampled_from(["a", "b", "c", "", "é"]))
NUMBER = st.floats(-1e6, 1e6) | st.just(float("nan")) | st.just(float("inf"))


def fitted(train: list[str | None], least: int = 1) -> Vocabulary:
    """The vocabulary of the values, having checked that the ids it gives their codes are those that it encodes them with."""
    column, dictionary = pl.Series(train, dtype=pl.String), Dictionary()
    codes = dictionary.encode(column)
    vocabulary, of_code = fit_vocabulary(dictionary.texts(), np.bincount(codes, minlength=len(dictionary)), least)
    assert of_code[codes].tolist() == vocabulary.encode(column).tolist()
    return vocabulary


@settings(deadline=None)
@given(st.lists(VALUE, max_size=40), st.lists(VALUE, max_size=20), st.integers(1, 4))
def test_vocabulary_against_counting(train: list[str | None], other: list[str | None], least: int) -> None:
    vocabulary = fitted(train, least)
    counts = Counter(train)
    known = {v for v, n in counts.items() if n >= least}
    ids = vocabulary.encode(pl.Series(other, dtype=pl.String)).tolist()
    assert vocabulary.cardinality == len(known) + 2
    for value, i in zip(other, ids, strict=True):
        assert (i >= 2) == (value in known)
        assert 1 <= i < vocabulary.cardinality
    of_value = dict(zip(other, ids, strict=True))
    assert len({i for v, i in of_value.items() if v in known}) == len(known & set(of_value))
    commonest = vocabulary.values.to_list()
    assert [counts[v] for v in commonest] == sorted((counts[v] for v in commonest), reverse=True)


@settings(deadline=None)
@given(st.lists(VALUE, max_size=30), st.randoms(use_true_random=False))
def test_ids_do_not_depend_on_the_order_of_rows(train: list[str | None], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(train, len(train))
    first, second = (fitted(t).values.to_list() for t in (train, shuffled))
    assert first == second


@given(st.lists(NUMBER, min_size=1, max_size=50), st.sampled_from(["standardize", "log1p"]))
def test_scaled_train_rows_have_mean_0_and_variance_1(train: list[float], transform) -> None:  # type: ignore[no-untyped-def]
    x = np.array(train)
    scaled = fit_scaler([x], transform).apply(x)
    assert np.isfinite(scaled).all()
    seen = scaled[np.isfinite(x)].astype(float)
    assert (scaled[~np.isfinite(x)] == 0).all()
    if len(seen) and seen.std() > 1e-3:
        assert abs(seen.mean()) < 1e-3 and abs(seen.std() - 1) < 1e-3


@given(st.lists(st.lists(NUMBER, max_size=9), min_size=1, max_size=9), st.floats(-1e9, 1e9))
def test_blocks_are_joined_without_loss(blocks: list[list[float]], shift: float) -> None:
    apart = fit_scaler([np.array(b) + shift for b in blocks], "standardize")
    whole = fit_scaler([np.concatenate([np.array(b) + shift for b in blocks])], "standardize")
    scale = 1e6 + abs(shift)
    assert abs(apart.mean - whole.mean) <= 1e-12 * scale
    assert abs(apart.std - whole.std) <= 1e-9 * scale


def test_log1p_keeps_the_sign() -> None:
    x = np.array([-np.e + 1, 0.0, np.e - 1])
    assert np.allclose(fit_scaler([x], "log1p").apply(x), np.array([-1, 0, 1]) * np.sqrt(1.5))


def test_without_a_transform_only_missing_values_change() -> None:
    scaler = fit_scaler([np.array([1.0, 3.0, np.nan])], "none")
    assert scaler.apply(np.array([7.0, np.nan])).tolist() == [7.0, 2.0]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["a", "b", "zz"]), max_size=6), min_size=1, max_size=8), st.integers(1, 4))
def test_sequences_against_a_loop(rows: list[list[str]], length: int) -> None:
    vocabulary = fitted(["a", "a", "b"])
    code = {"a": 2, "b": 3, "zz": 1}
    wanted = [[0] * max(0, length - len(r)) + [code[v] for v in r[-length:]] for r in rows]
    text = tokens(pl.Series([" ".join(r) if r else None for r in rows], dtype=pl.String), " ")
    lists = tokens(pl.Series(rows, dtype=pl.List(pl.String)), " ")
    assert encode_sequences(text, vocabulary.encode, length).tolist() == wanted
    assert encode_sequences(lists, vocabulary.encode, length).tolist() == wanted
