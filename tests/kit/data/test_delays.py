"""Labels that arrive late: training sees what was known when train ended, scoring what rows came to in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.kit.batch import joined
from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.delays import Waits, known_when_training
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.data.splits import TRAIN, VALID
from sandboxes.kit.data.table import Table

NAN, ROWS = float("nan"), 200
SPEC = TableSpec(
    "late",
    tasks=(Label("click"), Label("buy", given="click", arrives="bought_at")),
    categorical=(Categorical("item"),),
    user="user",
    time="at",
    split=Split(by="time", train=0.6, valid=0.2, test=0.2),
)


def log() -> pl.DataFrame:
    """In order of time, a row an instant; every second click buys, a third of these after the last train row (119)."""
    rng = np.random.default_rng(1)
    at = np.arange(ROWS)
    click = rng.random(ROWS) < 0.6
    buy = click & (rng.random(ROWS) < 0.5)
    delay = rng.exponential(30.0, ROWS)
    return pl.DataFrame(
        {
            "item": rng.integers(0, 9, ROWS),
            "user": rng.integers(0, 9, ROWS),
            "at": at,
            "click": click.astype(int),
            "buy": buy.astype(int),
            "bought_at": [float(t + d) if b else None for t, d, b in zip(at, delay, buy, strict=True)],
        }
    )


def prepared(folder: Path, table: pl.DataFrame | None = None, spec: TableSpec = SPEC) -> Prepared:
    frame = log() if table is None else table
    return prepare(Source(spec, lambda: frame, str(frame.hash_rows().sum())), folder)


def test_train_knows_what_had_arrived_and_others_what_came_in_the_end(tmp_path: Path) -> None:
    made, table = prepared(tmp_path), log()
    train, valid = load_split(made.visible, "train"), load_split(made.visible, "valid")
    at, arrived, buy = (table[c].to_numpy().astype(float) for c in ("at", "bought_at", "buy"))
    seen = (buy == 1) & (arrived <= 119)
    assert train.labels is not None and train.elapsed is not None and train.delay is not None and valid.labels is not None
    assert np.array_equal(train.labels[:, 1], seen[:120]) and 0 < seen[:120].sum() < buy[:120].sum()
    assert np.array_equal(train.labels[:, 0], table["click"].to_numpy()[:120])
    assert np.array_equal(valid.labels[:, 1], buy[120:160]) and np.array_equal(made.hidden_labels("test")[:, 1], buy[160:])
    unit = (arrived - at)[:120][seen[:120]].mean()
    assert np.allclose(train.elapsed, (119 - at[:120])[:, None] / unit)
    assert np.allclose(train.delay[:, 0], np.where(seen, arrived - at, np.nan)[:120] / unit, equal_nan=True)
    told = made.facts["delays"]["buy"]
    assert told["mean delay"] == pytest.approx(unit)
    assert told["yet to come"] == pytest.approx(1 - seen[:120].sum() / buy[:120].sum(), abs=1e-5)
    assert made.facts["positives"]["train"]["buy"] == pytest.approx(seen[:120].mean(), abs=1e-5)


def test_only_train_says_anything_of_arrivals(tmp_path: Path) -> None:
    made = prepared(tmp_path)
    assert sorted(f.name for f in made.visible.iterdir() if "elapsed" in f.name or "delay" in f.name) == [
        "train.delay.npy",
        "train.elapsed.npy",
    ]
    assert [t.delayed for t in made.schema.tasks] == [False, True] and made.schema.delayed_tasks == [1]
    rows, others = load_split(made.visible, "train"), load_split(made.visible, "valid").batch(slice(0, 3))
    assert others.elapsed is None and others.delay is None
    for batch in (
        rows.batch(np.array([5, 2])),
        rows.batch(slice(0, 6))[[5, 2]],
        joined([rows.batch(slice(i, i + 1)) for i in (5, 2)]),
    ):
        assert batch.elapsed is not None and batch.elapsed[:, 0].tolist() == rows.elapsed[[5, 2], 0].tolist()
        assert batch.delay is not None and np.array_equal(batch.delay.numpy(), rows.delay[[5, 2]], equal_nan=True)


def test_what_arrives_after_train_ended_changes_nothing_that_is_trained_on(tmp_path: Path) -> None:
    table = log()
    later = pl.when(pl.col("bought_at") > 119).then(pl.col("bought_at") + 1000).otherwise(pl.col("bought_at"))
    one, other = prepared(tmp_path / "a"), prepared(tmp_path / "b", table.with_columns(later.alias("bought_at")))
    assert not table.equals(table.with_columns(later.alias("bought_at")))
    for file in sorted(one.visible.iterdir()):
        assert file.read_bytes() == (other.visible / file.name).read_bytes(), file.name


def test_times_may_be_dates_and_text(tmp_path: Path) -> None:
    """Empty text is no arrival; a number is read as one although others are empty."""
    start, table = datetime(2026, 3, 1), log()

    def moment(column: str) -> list[datetime | None]:
        return [None if t is None else start + timedelta(hours=t) for t in table[column].cast(pl.Float64)]

    dated = table.with_columns(pl.Series("at", moment("at")), pl.Series("bought_at", moment("bought_at")))
    kinds = {
        "dates": dated,
        "texts of dates": dated.with_columns(pl.col("at", "bought_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")),
        "texts of numbers": table.with_columns(pl.col("at", "bought_at").cast(pl.String).fill_null(" ")),
        "floats with NaN": table.with_columns(pl.col("bought_at").fill_null(NAN)),
    }
    plain = load_split(prepared(tmp_path / "plain").visible, "train")
    for name, frame in kinds.items():
        train = load_split(prepared(tmp_path / name, frame).visible, "train")
        assert np.array_equal(train.labels, plain.labels), name
        assert np.allclose(train.elapsed, plain.elapsed) and np.allclose(train.delay, plain.delay, equal_nan=True), name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("bought_at") - 300, "before their own time in 'at'"),
        (pl.lit(None, dtype=pl.Float64), "no time in 'bought_at'"),
        (pl.col("at") + 1.0, "have a time in 'bought_at' and not 'buy'"),
        (pl.lit("soon"), "no readable time of arrival in 'bought_at'"),
        (pl.when(pl.col("buy") == 1).then(pl.col("at") + 1000.0), "no positive of 'buy' in train arrives before"),
    ],
)
def test_times_that_contradict_the_labels_are_refused(change: pl.Expr, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said) as caught:
        prepared(tmp_path, log().with_columns(change.alias("bought_at")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"split": Split()}, 'need a split by time, .*by = "time"'),
        ({"split": Split(by="last")}, "need a split by time"),
        ({"categorical": (Categorical("item"), Categorical("bought_at"))}, "'bought_at' says when a label arrives"),
        ({"sequences": (Sequence("bought", "item", where="buy"),)}, "'bought' would be built of labels that arrive after"),
        ({"sequences": (Sequence("came", "buy"),)}, "'came' would be built of labels that arrive after"),
        ({"tasks": (*SPEC.tasks, Label("return", given="buy"))}, "'return' is given 'buy', whose positives arrive late"),
        ({"predicts": "items", "target_item": "item", "tasks": (Label("buy", arrives="bought_at"),)}, "do not arrive late"),
    ],
)
def test_descriptions_that_cannot_hold_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        replace(SPEC, **change)


def test_histories_may_still_be_built_of_what_is_known_at_once() -> None:
    assert replace(SPEC, sequences=(Sequence("clicked", "item", where="click"), Sequence("came", "click")))


def known(at: list[float], delays: list[float | None], tasks: tuple[Label, ...], apart: float = 1.0) -> tuple[np.ndarray, Waits]:
    """Labels of rows of which all but the last are train rows; delays of a task are those of the one before plus `apart`."""
    spec = TableSpec("t", tasks, (Categorical("x"),), time="at", split=Split(by="time"))
    n = len(at)
    columns = {
        t.arrives: [None if d is None else a + d + apart * i for a, d in zip(at, delays, strict=True)]
        for i, t in enumerate(tasks)
    }
    labels = np.array([[d is not None] * len(tasks) for d in delays], dtype=np.float32)
    codes = np.array([TRAIN] * (n - 1) + [VALID], dtype=np.int8)
    table = Table(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64)))
    return labels, known_when_training(spec, table, labels, np.array(at), codes)


def test_a_task_is_known_only_when_what_it_is_given_is() -> None:
    """Of the row at 6, neither has arrived by 8; of that at 5 the order has and the return has not."""
    tasks = (Label("order", arrives="a"), Label("return", given="order", arrives="b"))
    labels, waits = known([0, 5, 6, 8, 9], [1, 2.5, 3, None, 4], tasks)
    assert labels.tolist() == [[1, 1], [1, 0], [0, 0], [0, 0], [1, 1]]
    assert waits.elapsed[:, 0].tolist() == pytest.approx([8 / 1.75, 3 / 1.75, 2 / 1.75, 0])
    assert waits.delay[:, 1].tolist() == pytest.approx([1, NAN, NAN, NAN], nan_ok=True)


def test_a_return_that_is_told_before_its_order_is_not_known_yet() -> None:
    """The return at 5 is told at 7.5, its order at 8.5."""
    tasks = (Label("order", arrives="a"), Label("return", given="order", arrives="b"))
    labels, waits = known([0, 5, 8, 9], [2, 3.5, None, 4], tasks, apart=-1.0)
    assert labels[:3].tolist() == [[1, 1], [0, 0], [0, 0]]
    assert np.isnan(waits.delay[1]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(0, 60)), min_size=3, max_size=30))
def test_no_label_is_known_before_it_arrived_and_none_is_made_up(rows: list[tuple[int, int | None]]) -> None:
    at, delays = [float(a) for a, _ in rows], [None if d is None else float(d) for _, d in rows]
    at[-1], moment = max(at) + 1, max(at[:-1])
    in_time = [d is not None and a + d <= moment for a, d in zip(at[:-1], delays[:-1], strict=True)]
    if not any(in_time):
        with pytest.raises(DataError, match="no positive"):
            known(at, delays, (Label("y", arrives="a"),))
        return
    labels, waits = known(at, delays, (Label("y", arrives="a"),))
    assert labels[:-1, 0].tolist() == in_time and labels[-1, 0] == (delays[-1] is not None)
    assert (~np.isnan(waits.delay[:, 0])).tolist() == in_time
    assert (waits.elapsed >= 0).all() and np.nanmax(waits.delay - waits.elapsed) <= 1e-6
