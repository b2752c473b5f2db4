"""Splits: stable, whole and where the description says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sandboxes.kit.data import DataError
from sandboxes.kit.data.columns import key_hashes
from sandboxes.kit.data.spec import Categorical, Label, Split, TableSpec
from sandboxes.kit.data.splits import TEST, TRAIN, VALID, by_last, by_time, split_codes
from sandboxes.kit.data.table import Table


def row_hashes(table: pl.DataFrame) -> NDArray[np.uint64]:
    return key_hashes(Table(table), tuple(table.columns), table.height)


LOG = pl.DataFrame({"user": [i % 40 for i in range(400)], "item": [f"i{i * 7 % 61}" for i in range(400)]})


@settings(deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_row_keeps_its_split_in_any_order_and_company(random, seed: int) -> None:  # type: ignore[no-untyped-def]
    split = Split(seed=seed, key=("user", "item"))
    codes = split_codes(split, Table(LOG), 400, key=row_hashes(LOG))
    order = random.sample(range(400), 300)  # fewer rows, shuffled
    moved = split_codes(split, Table(LOG[order]), 300, key=row_hashes(LOG[order]))
    assert (moved == codes[order]).all()


def test_rows_equal_in_the_key_stay_together() -> None:
    codes = split_codes(Split(key=("user",)), Table(LOG), 400, whole=row_hashes(LOG), key=row_hashes(LOG.select("user")))
    for user in range(40):
        assert len(set(codes[LOG["user"].to_numpy() == user].tolist())) == 1


def test_shares_are_about_what_was_asked() -> None:
    table = pl.DataFrame({"row": range(20_000)})
    codes = split_codes(Split(train=0.6, valid=0.3, test=0.1), Table(table), 20_000, whole=row_hashes(table))
    assert np.bincount(codes) / 20_000 == pytest.approx([0.6, 0.3, 0.1], abs=0.02)


@given(st.lists(st.integers(0, 12), min_size=3, max_size=60).filter(lambda t: len(set(t)) >= 3))
def test_time_borders_lie_between_instants(times: list[int]) -> None:
    time = np.array(times, dtype=float)
    codes = by_time(Split(by="time"), time)
    assert time[codes == TRAIN].max() < time[codes == VALID].min()
    assert time[codes == VALID].max() < time[codes == TEST].min()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=40), st.integers(1, 3))
def test_each_users_last_rows_test_and_those_before_validate(log: list[tuple[int, int]], last: int) -> None:
    users, times = (np.array([row[i] for row in log], dtype=t) for i, t in ((0, np.int64), (1, np.float64)))
    codes = by_last(Split(by="last", last=last), users, times)
    for user in set(users.tolist()):
        own = sorted((t, i) for i, (u, t) in enumerate(log) if u == user)  # ties by row
        n_train = len(own) if len(own) <= 2 * last else len(own) - 2 * last
        wanted = [TRAIN] * n_train + ([VALID] * last + [TEST] * last if n_train < len(own) else [])
        assert codes[[i for _, i in own]].tolist() == wanted


@pytest.mark.parametrize(
    ("change", "said"),
    [({"user": None}, "needs a user and a time"), ({"time": None}, "needs a user and a time"), ({"last": 0}, "at least 1 row")],
)
def test_a_split_by_last_rows_needs_to_know_whose_and_when(change: dict[str, object], said: str) -> None:
    asked = {"user": "u", "time": "t", "last": 1} | change
    with pytest.raises(DataError, match=said):
        TableSpec(
            "x",
            (Label("y"),),
            (Categorical("c"),),
            user=asked["user"],  # type: ignore[arg-type]
            time=asked["time"],  # type: ignore[arg-type]
            split=Split(by="last", last=asked["last"]),  # type: ignore[arg-type]
        )


def test_time_shares_are_as_near_as_instants_allow() -> None:
    codes = by_time(Split(by="time", train=0.7, valid=0.2, test=0.1), np.random.default_rng(0).permutation(1000).astype(float))
    assert np.bincount(codes).tolist() == [700, 200, 100]
    codes = by_time(Split(by="time"), np.repeat(np.arange(10.0), 100))  # borders fall exactly between days
    assert np.bincount(codes).tolist() == [800, 100, 100]


def test_too_few_instants_is_an_error() -> None:
    with pytest.raises(DataError, match="3 different times"):
        by_time(Split(by="time"), np.array([1.0, 1.0, 2.0]))


def test_seeds_draw_differently() -> None:
    table = pl.DataFrame({"row": range(20_000)})
    first, second = (split_codes(Split(seed=s), Table(table), 20_000, whole=row_hashes(table)) for s in (0, 7))
    assert abs((first == second).mean() - (0.8**2 + 2 * 0.1**2)) < 0.02, "as often alike as chance has it"


def test_a_given_split_is_kept_and_a_missing_valid_is_taken_from_train() -> None:
    said = ["Train"] * 300 + ["test"] * 100
    table = LOG.with_columns(pl.Series("split", said), row=pl.int_range(400))
    codes = split_codes(Split(by="given"), Table(table), 400, whole=row_hashes(table.drop("split")))
    assert (codes[300:] == TEST).all()
    assert 15 < (codes[:300] == VALID).sum() < 60
    whole = table.with_columns(pl.Series("split", ["valid"] * 10 + said[10:]))
    assert (split_codes(Split(by="given"), Table(whole), 400) == VALID).sum() == 10


def test_an_unknown_split_is_an_error() -> None:
    table = LOG.with_columns(pl.lit("holdout").alias("split"))
    with pytest.raises(DataError, match="'holdout'"):
        split_codes(Split(by="given"), Table(table), 400)


def test_an_empty_split_is_an_error() -> None:
    with pytest.raises(DataError, match="split is empty"):
        split_codes(Split(), Table(LOG.head(2)), 2, whole=row_hashes(LOG.head(2)))
