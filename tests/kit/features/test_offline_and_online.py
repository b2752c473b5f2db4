"""A derived feature is the same for a raw row in use as it was in preparation, and a model with it travels complete."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from shop_features import DERIVED, spec_with, table
from small_shop import run_job, test_rows

from sandboxes.kit.data import Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.features import TRANSFORMS, transform_of
from sandboxes.kit.serving import Served, keep


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(Source(spec_with(*DERIVED), table, "shop features 1"), tmp_path_factory.mktemp("shop"))


def raw_test_rows(made: Prepared) -> pl.DataFrame:
    """As the shop sends them: neither labels nor users nor any derived column."""
    times = table().tail(made.sizes["test"]).select("seen", "made", "day")
    return test_rows(made).hstack(times)


def test_every_kind_of_transform_is_among_them() -> None:
    assert {d.how for d in DERIVED} == set(TRANSFORMS)


def test_raw_test_rows_give_the_prepared_arrays(made: Prepared) -> None:
    seen, encoded = load_split(made.visible, "test").batch(slice(None)), Encoders.of(made).encode(raw_test_rows(made))
    assert encoded.ids.equal(seen.ids)
    assert encoded.numeric.equal(seen.numeric)
    assert all(len(np.unique(seen.ids[:, i])) > 1 for i in range(seen.ids.shape[1]))  # none of it is a constant
    assert all(len(np.unique(seen.numeric[:, i])) > 1 for i in range(seen.numeric.shape[1]))


def test_rows_one_by_one_are_what_they_are_together(made: Prepared) -> None:
    encoders, rows = Encoders.of(made), raw_test_rows(made).head(40)
    together = encoders.encode(rows)
    for i in range(rows.height):
        alone = encoders.encode(rows.slice(i, 1))
        assert alone.ids[0].equal(together.ids[i]) and alone.numeric[0].equal(together.numeric[i])


def test_other_types_of_the_same_values_change_nothing(made: Prepared) -> None:
    rows = raw_test_rows(made)
    loose = rows.with_columns(
        pl.col("shop id").cast(pl.Float64).fill_null(np.nan), pl.col("seen").cast(pl.Float64), pl.col("price").cast(pl.String)
    )
    encoders = Encoders.of(made)
    assert encoders.encode(loose).ids.equal(encoders.encode(rows).ids)
    assert encoders.encode(loose).numeric.equal(encoders.encode(rows).numeric)


def test_what_a_row_must_have(made: Prepared) -> None:
    assert Encoders.of(made).columns == ("item", "shop id", "member", "size", "price", "age", "raw", "seen", "day", "made")


def test_a_lazy_table_is_prepared_to_the_same_arrays(made: Prepared, tmp_path: Path) -> None:
    table().write_parquet(tmp_path / "log.parquet")
    lazy = Source(spec_with(*DERIVED), lambda: pl.scan_parquet(tmp_path / "log.parquet"), "shop features, lazily")
    assert prepare(lazy, tmp_path / "data").data_hash == made.data_hash


def test_a_served_model_makes_them_by_itself(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_job(monkeypatch, tmp_path / "job", made.visible) == 0
    keep(
        tmp_path / "served", made.root, tmp_path / "job/out/weights.safetensors", {"embedding_dim": 4}, tmp_path / "job/model.py"
    )
    predicted = Served.open(tmp_path / "served").predict(raw_test_rows(made))
    assert np.array_equal(predicted, np.load(tmp_path / "job/out/test.npy"))


def test_transforms_survive_json(made: Prepared) -> None:
    assert tuple(map(transform_of, made.settings["derived"])) == DERIVED
