"""A description that contradicts itself about derived columns is refused in a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from shop_features import spec_with
from small_shop import SPEC

from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence
from sandboxes.kit.features import AnyTransform
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.histories import HistoryMeasure
from sandboxes.kit.features.statistics import Rate, Share
from sandboxes.kit.features.times import Elapsed, TimePart

CROSS = Cross("a", ("item", "member"))


@pytest.mark.parametrize(
    ("derived", "said"),
    [
        ((Cross("a", ("item",)),), "two or more different columns"),
        ((Cross("a", ("item", "item")),), "two or more different columns"),
        ((Cross("item", ("member", "size")),), "named twice|two columns 'item'"),
        ((CROSS, CROSS), "named twice|two columns 'a'"),
        ((Cross("a/b", ("item", "member")),), "letters, digits"),
        ((Cross("a", ("item", "click")),), "says what came of the row"),
        ((Rate("r", ("buy",), "click"),), "says what came of the row"),
        ((Cross("b", ("item", "a")), CROSS), "comes after it"),
        ((Bins("a", "price", bins=1),), "between 2 and 1024"),
        ((Bins("a", "price", "tree"),), "need the task"),
        ((Bins("a", "price", task="click"),), "have no task"),
        ((Bins("a", "price", "tree", task="clicks"),), "no task"),
        ((CROSS, Bins("b", "a")), "needs a number, and 'a' gives a text"),
        ((CROSS, TimePart("b", "a", "hour")), "needs a time"),
        ((Elapsed("e", "at", "at"),), "to another one"),
        ((Share("s", ()),), "one or more"),
        ((Rate("r", ("item",), ""),), "is of a task"),
        ((Rate("r", ("item",), "click", smoothing=0.0),), "above 0"),
        ((HistoryMeasure("h", "seen", "length"),), "no sequence"),
        ((HistoryMeasure("h", "clicked", "length"), Cross("c", ("item", "h"))), "once rows are encoded"),
    ],
)
def test_what_is_refused(derived: tuple[AnyTransform, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        spec_with(*derived)


def test_fields_and_places_that_cannot_be_derived() -> None:
    with pytest.raises(DataError, match="needs a column of number"):
        replace(SPEC, numeric=(*SPEC.numeric, Numeric("x", column="a")), derived=(CROSS,))
    with pytest.raises(DataError, match="needs a column of text"):
        replace(SPEC, categorical=(*SPEC.categorical, Categorical("x", column="s")), derived=(Share("s", ("item",)),))
    with pytest.raises(DataError, match="the user 'a' is derived"):
        replace(SPEC, user="a", derived=(CROSS,))
    outcomes = Sequence("done", of="click", length=3)
    with pytest.raises(DataError, match="holds outcomes"):
        replace(SPEC, sequences=(*SPEC.sequences, outcomes), derived=(HistoryMeasure("h", "done", "matches"),))


def test_a_late_label_teaches_nothing() -> None:
    late = (Label("click"), Label("buy", arrives="bought"))
    with pytest.raises(DataError, match="arrive late"):
        replace(SPEC, tasks=late, derived=(Rate("r", ("item",), "buy"),))


def test_the_columns_that_are_read() -> None:
    spec = spec_with(CROSS, Bins("b", "weight"), Cross("c", ("a", "b")))
    assert "weight" in spec.columns and not {"a", "b", "c"} & set(spec.columns)
