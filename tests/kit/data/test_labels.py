"""Label rules: positive, negative, unobserved, and over the entire space."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sandboxes.kit.data import DataError
from sandboxes.kit.data.labels import label_array
from sandboxes.kit.data.spec import Label
from sandboxes.kit.data.table import Table

NAN = float("nan")


def labels(*tasks: Label, **columns: list[object]) -> list[list[float]]:
    array = label_array(tasks, Table(pl.DataFrame(columns, strict=False)))
    assert array.dtype == np.float32
    return array.T.tolist()


def same(got: list[float], wanted: list[float]) -> bool:
    return bool(np.array_equal(np.array(got), np.array(wanted), equal_nan=True))


def test_thresholds() -> None:
    assert labels(Label("y", "rating", at_least=4), rating=[3.5, 4, 5, 1]) == [[0, 1, 1, 0]]
    assert labels(Label("y", "rating", at_least=4), rating=["3", " 4", "5", "1"]) == [[0, 1, 1, 0]]
    assert labels(Label("y"), y=[True, False]) == [[1, 0]]


def test_text_and_what_was_not_observed() -> None:
    assert same(labels(Label("y", equals="yes", unobserved="?"), y=["yes", "no", "?", None])[0], [1, 0, NAN, NAN])
    assert same(labels(Label("y", unobserved="-1"), y=[1, 0, -1, None])[0], [1, 0, NAN, NAN])
    assert same(labels(Label("y"), y=[1.0, NAN, 0.0])[0], [1, NAN, 0])


def test_a_given_task_is_0_where_it_cannot_be() -> None:
    click, conversion = [1, 1, 0, 0, None, 1], [1, 0, None, 0, None, None]
    got = labels(Label("click"), Label("conversion", given="click"), click=click, conversion=conversion)
    assert same(got[1], [1, 0, 0, 0, NAN, NAN])


def test_a_label_against_its_given_is_an_error() -> None:
    with pytest.raises(DataError, match="2 rows have conversion without click"):
        labels(Label("click"), Label("conversion", given="click"), click=[1, 0, 0], conversion=[1, 1, 1])


def test_text_that_is_no_number_is_an_error() -> None:
    with pytest.raises(DataError, match="'maybe'"):
        labels(Label("y"), y=["1", "maybe"])
