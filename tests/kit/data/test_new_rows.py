"""New rows are encoded as preparation encoded its own: the raw test rows give the very arrays that the sandbox saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_shop import prepared, test_rows

from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.raw_columns import as_text
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Label, Numeric, TableSpec


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(tmp_path_factory.mktemp("shop"))


def test_raw_test_rows_give_the_prepared_arrays(made: Prepared) -> None:
    seen, encoded = load_split(made.visible, "test").batch(slice(None)), Encoders.of(made).encode(test_rows(made))
    assert (seen.ids == 1).any() and (seen.history["clicked"] > 1).any()  # new values and histories are among them
    assert encoded.ids.equal(seen.ids)
    assert encoded.numeric.equal(seen.numeric)
    assert all(encoded.history[name].equal(seen.history[name]) for name in ("clicked", "visited"))
    assert encoded.labels is None


def test_whole_numbers_that_arrive_as_fractions_are_the_same_category(made: Prepared) -> None:
    rows = test_rows(made)
    assert rows["shop id"].null_count()
    as_floats = rows.with_columns(pl.col("shop id").cast(pl.Float64).fill_null(np.nan), pl.col("size").cast(pl.Float32))
    encoders = Encoders.of(made)
    assert encoders.encode(as_floats).ids.equal(encoders.encode(rows).ids)


@pytest.mark.parametrize(
    ("values", "dtype", "text"),
    [
        ([5.0, 5.5, None, float("nan"), float("inf")], "Int64", ["5", "5.5", None, None, "inf"]),
        ([5, None], "Float64", ["5.0", None]),
        ([1, 0, None], "Boolean", ["true", "false", None]),
        (["True", "false"], "Boolean", ["true", "false"]),
        ([True, None], "Boolean", ["true", None]),
        ([7, None], "String", ["7", None]),
        (["7"], "Int64", ["7"]),
    ],
)
def test_values_as_the_prepared_column_would_have_written_them(values: list[object], dtype: str, text: list[object]) -> None:
    assert as_text(pl.Series(values), dtype).to_list() == text


def test_a_row_without_a_history_has_an_empty_one(made: Prepared) -> None:
    encoded = Encoders.of(made).encode(test_rows(made).drop("clicked", "shops"))
    assert not encoded.history["clicked"].any() and encoded.history["visited"].shape == (made.sizes["test"], 4)


def test_a_missing_column_is_named(made: Prepared) -> None:
    with pytest.raises(DataError, match="no column 'shop id', 'age'; they need item, shop id"):
        Encoders.of(made).encode(test_rows(made).drop("shop id", "age"))


def test_numbers_alone_need_no_vocabulary(tmp_path: Path) -> None:
    table = pl.DataFrame({"x": np.arange(200.0), "y": np.arange(200) % 3 == 0})
    made = prepare(Source(TableSpec("numbers", (Label("y"),), numeric=(Numeric("x"),)), lambda: table, "1"), tmp_path)
    encoded = Encoders.of(made).encode(table)
    assert encoded.ids.shape == (200, 0) and abs(encoded.numeric.mean()) < 0.2
