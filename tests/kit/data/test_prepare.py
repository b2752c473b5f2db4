"""Preparing: fitted on train alone, whole or not at all, done once."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data import prepare as module
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec

SPLITS = ["train"] * 60 + ["valid"] * 20 + ["test"] * 20
SPEC = TableSpec(
    "small",
    (Label("y"),),
    (Categorical("c", min_frequency=2),),
    (Numeric("x"),),
    user="u",
    split=Split(by="given"),
)


def table() -> pl.DataFrame:
    """`late` is a category, and 1000 a number, of test rows only."""
    return pl.DataFrame(
        {
            "c": [("a", "b", None)[i % 3] for i in range(59)] + ["once"] + ["late"] * 40,
            "x": [float(i % 5) for i in range(60)] + [1000.0] * 40,
            "u": [f"u{i % 7}" for i in range(100)],
            "y": [i % 2 for i in range(100)],
            "split": SPLITS,
        }
    )


def source(spec: TableSpec = SPEC, frame: pl.DataFrame | None = None, content: str = "1") -> Source:
    held = table() if frame is None else frame
    return Source(spec, lambda: held, content, provenance="made up")


def test_encoders_know_train_only(tmp_path: Path) -> None:
    made = prepare(source(), tmp_path)
    assert made.schema.categorical[0].cardinality == 2 + 3  # a, b, null
    train, test = load_split(made.visible, "train"), load_split(made.visible, "test")
    assert (test.ids == 1).all() and train.ids[59, 0] == 1
    assert abs(train.numeric.mean()) < 1e-6 and abs(train.numeric.std() - 1) < 1e-6
    assert np.allclose(test.numeric, (1000 - 2) / np.sqrt(2))
    assert made.facts["unknown"] == {"train": {"c": round(1 / 60, 5)}, "valid": {"c": 1.0}, "test": {"c": 1.0}}


def test_values_that_only_histories_hold_are_learned_from_train_rows(tmp_path: Path) -> None:
    past = [["a", "old", "a"][: i % 4] for i in range(60)] + [["new", "old", "a"]] * 40
    spec = replace(SPEC, categorical=(Categorical("c"),), sequences=(Sequence("past", of="c", length=2, column="past"),))
    made = prepare(source(spec, table().with_columns(past=pl.Series(past))), tmp_path)
    known = pl.read_parquet(made.root / "vocabularies.parquet")["value"].to_list()
    assert "old" in known and "new" not in known and known.index("a") < known.index("old"), "counted in histories too"
    assert (load_split(made.visible, "test").history["past"] == [known.index("old") + 2, known.index("a") + 2]).all()


def test_changing_test_rows_changes_nothing_that_train_shows(tmp_path: Path) -> None:
    first = prepare(source(), tmp_path)
    other = table().with_columns(pl.when(pl.col("split") == "test").then(pl.lit("a")).otherwise("c").alias("c"))
    second = prepare(source(frame=other, content="2"), tmp_path)
    for name in ("train.ids.npy", "train.numeric.npy", "schema.json"):
        assert (first.visible / name).read_bytes() == (second.visible / name).read_bytes()
    assert first.data_hash != second.data_hash


def test_it_is_done_once_and_again_when_anything_changes(tmp_path: Path) -> None:
    calls = []

    def read() -> pl.DataFrame:
        calls.append(1)
        return table()

    def run(spec: TableSpec = SPEC, content: str = "1") -> Prepared:
        return prepare(Source(spec, read, content), tmp_path)

    first, again = run(), run()
    assert len(calls) == 1 and again.reused and not first.reused and again.data_hash == first.data_hash
    assert not run(content="2").reused
    assert not run(replace(SPEC, categorical=(Categorical("c"),))).reused
    assert len(calls) == 3
    assert run(content="2").data_hash == first.data_hash, "the hash is of the data, not of where it came from"


def test_a_lazy_table_gives_the_same_as_one_in_memory(tmp_path: Path) -> None:
    lazy = prepare(Source(SPEC, lambda: table().lazy(), "lazy"), tmp_path)
    assert lazy.data_hash == prepare(source(), tmp_path).data_hash
    assert not (lazy.root / "rows.parquet").exists()


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(module, "write_sequences", die)
        prepare(source(), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not prepare(source(), tmp_path).reused


def test_abandoned_work_is_removed_and_a_neighbours_is_not(tmp_path: Path) -> None:
    root = prepare(source(), tmp_path).root
    old, young = tmp_path / f".{root.name}.aaaa", tmp_path / f".{root.name}.bbbb"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (time.time() - 10**6,) * 2)
    (root / "prepared.json").unlink()
    for file in sorted(root.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    prepare(source(), tmp_path)
    assert not old.exists() and young.exists()


def test_whoever_finishes_first_wins(tmp_path: Path) -> None:
    """While the table is read, another process prepares the same."""

    def read() -> pl.DataFrame:
        prepare(source(content="same"), tmp_path)
        return table()

    made = prepare(Source(SPEC, read, "same", provenance="made up"), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [made.root.name]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (table().drop("x"), "no column 'x'"),
        (table().clear(), "no rows"),
        (table().with_columns(pl.lit(1).alias("y")), "train split has not both"),
        (table().with_columns(y=pl.when(pl.col("split") == "test").then(0).otherwise("y")), "test split has not both"),
        (table().with_columns(pl.lit("abc").alias("x")), "holds 'abc'"),
    ],
)  # fmt: skip
def test_unusable_tables(frame: pl.DataFrame, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        prepare(source(frame=frame), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_times_are_numbers_or_dates(tmp_path: Path) -> None:
    spec = replace(SPEC, time="t", split=Split(by="time"))
    days = pl.Series("t", [f"2026-01-{1 + i // 10:02d} 12:00:00" for i in range(100)])
    text = prepare(source(spec, table().with_columns(days)), tmp_path / "a")
    dates = prepare(source(spec, table().with_columns(days.str.to_datetime())), tmp_path / "b")
    assert text.sizes == {"train": 80, "valid": 10, "test": 10} and text.data_hash == dates.data_hash
    with pytest.raises(DataError, match="1 rows have no readable time"):
        prepare(source(spec, table().with_columns(days.scatter(3, "soon"))), tmp_path / "c")


def test_histories_of_a_time_split_reach_back_over_the_borders(tmp_path: Path) -> None:
    spec = replace(
        SPEC,
        categorical=(Categorical("c"),),
        sequences=(Sequence("past", of="c", length=4, where="y"),),
        time="t",
        split=Split(by="time", train=0.6, valid=0.2, test=0.2),
    )
    made = prepare(source(spec, table().with_columns(t=pl.int_range(100), u=pl.lit("one"), c=pl.lit("a"))), tmp_path)
    counts = {s: (load_split(made.visible, s).history["past"] > 0).sum(1).tolist() for s in ("train", "valid", "test")}
    assert counts["train"][:8] == [0, 0, 1, 1, 2, 2, 3, 3] and counts["valid"] == [4] * 20 and counts["test"] == [4] * 20


def test_rows_come_as_batches(tmp_path: Path) -> None:
    made = prepare(source(), tmp_path)
    rows = load_split(made.visible, "train")
    batch = rows.batch(np.array([5, 0, 5]))
    assert batch.ids.dtype == torch.int64 and batch.ids[:, 0].tolist() == [rows.ids[5, 0], rows.ids[0, 0], rows.ids[5, 0]]
    assert batch.labels is not None and batch.labels[:, 0].tolist() == [1, 0, 1]
    assert len(rows.batch(slice(10, 60))) == 50 and rows.batch(slice(0, 3)).numeric.shape == (3, 1)
    batch.numeric += 1  # a batch is the model's own: the files stay as they are
    rows.batch(slice(0, 3)).numeric.zero_()
    assert np.array_equal(load_split(made.visible, "train").numeric, rows.numeric) and rows.numeric[0, 0] != 0
    assert load_split(made.visible, "test").labels is None and load_split(made.visible, "test").batch(slice(0, 2)).labels is None
    assert isinstance(rows.ids, np.memmap)


def test_what_is_no_prepared_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no prepared data set"):
        Prepared.open(tmp_path / "nothing")
    made = prepare(source(), tmp_path)
    (made.root / "prepared.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        Prepared.open(made.root)


def test_the_sandbox_side_needs_no_polars() -> None:
    """The modules that read prepared data run where only torch and NumPy are sure to be."""
    import subprocess
    import sys

    code = "import sys, sandboxes.kit.data.arrays; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, cwd=Path(__file__).parents[3]).returncode == 0
