"""Nothing of valid and test, and nothing of a row's own label or future, is in what a derived feature has of train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from shop_features import DERIVED, spec_with, table
from small_shop import SPEC

from sandboxes.kit.data.derived_rows import FOLDER
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Split
from sandboxes.kit.features import AnyTransform

N = 600
GIVEN = Split("given", column="part")
STATELESS = {"cross", "time_part", "elapsed", "history"}


def parts() -> pl.Series:
    """Neither in order of time nor by hash, so that the split stays when rows change."""
    return pl.Series("part", np.random.default_rng(1).choice(["train", "train", "train", "valid", "test"], N))


def arrays(rows: pl.DataFrame, d: AnyTransform, folder: Path) -> tuple[dict[str, np.ndarray], pl.DataFrame | None]:
    """The feature (n,) by split, and what was learned."""
    needed = [other for other in DERIVED if other.name in d.inputs]
    split = prepare(Source(spec_with(*needed, d, split=GIVEN), lambda: rows, folder.name), folder)
    what = "ids" if d.gives == "text" else "numeric"
    state = split.root / FOLDER / f"{d.name}.parquet"
    found = {name: np.load(split.visible / f"{name}.{what}.npy")[:, -1] for name in ("train", "valid", "test")}
    return found, pl.read_parquet(state) if state.is_file() else None


@pytest.mark.parametrize("d", DERIVED, ids=lambda d: d.name)
def test_valid_and_test_rows_teach_nothing(d: AnyTransform, tmp_path: Path) -> None:
    rows = table(N).with_columns(parts())
    shuffled = rows.with_columns(pl.col("click").reverse(), pl.col("item").shuffle(3), pl.col("price").shuffle(4))
    shuffled = shuffled.with_columns(pl.lit(0, pl.Int64).alias("buy"))
    train = pl.col("part") == "train"
    changed = (
        pl.concat([rows.with_row_index().filter(train), shuffled.with_row_index().filter(~train)]).sort("index").drop("index")
    )
    (before, state), (after, again) = (arrays(r, d, tmp_path / name) for r, name in ((rows, "a"), (changed, "b")))
    assert np.array_equal(before["train"], after["train"])
    assert (state is None) == (d.how in STATELESS) and (state is None or (again is not None and state.equals(again)))


@pytest.mark.parametrize("d", [d for d in DERIVED if d.how == "rate"], ids=lambda d: d.name)
@pytest.mark.parametrize("time", ["at", None])
def test_no_train_row_sees_its_own_label_or_a_later_one(d: AnyTransform, time: str | None, tmp_path: Path) -> None:
    """Without times a row is made of rows of other folds."""
    rows = table(N).with_columns(parts())
    place = int(np.flatnonzero((rows["part"] == "train").to_numpy() & (rows["click"] == 0).to_numpy())[100])
    label = np.arange(N) == place
    flipped = rows.with_columns(pl.when(pl.Series(label)).then(1).otherwise(pl.col(c)).alias(c) for c in ("click", "buy"))
    found = []
    for name, r in (("a", rows), ("b", flipped)):
        given = spec_with(d, split=GIVEN)
        spec = type(SPEC)(**{**vars(given), "time": time, "sequences": given.sequences if time else given.sequences[1:]})
        made = prepare(Source(spec, lambda r=r: r, name), tmp_path / name)  # type: ignore[misc]
        scaler = made.settings["scalers"][d.name]
        found.append(np.load(made.visible / "train.numeric.npy")[:, -1] * scaler["std"] + scaler["mean"])
    moved = np.abs(found[0] - found[1]) > 1e-4
    own = int((rows["part"].head(place) == "train").sum())
    assert moved.any() and not moved[own]
    if time:
        assert not moved[:own].any()
