"""Stages on spans of time: which rows they see, in memory and from disk, alone and in a team, and what that does under drift."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rows import PLAIN, random_rows
from small_shop import MODEL, log, prepared, run_job
from torch import Tensor, nn

from sandboxes.kit import Batch, CategoricalField, Schema, Stage
from sandboxes.kit.data.arrays import ArrayRows, load_split
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_visits import SyntheticVisits, generate, synthetic_source
from sandboxes.kit.layers import IncrementalWindows, LinearTerm
from sandboxes.kit.team import Team
from sandboxes.kit.training import TrainConfig, fit
from sandboxes.kit.training.device import Resident
from sandboxes.kit.training.order import BLOCK_ROWS, shared_out, shuffled
from sandboxes.kit.training.spans import Span, drawn, rows_of

SCHEMA = Schema((CategoricalField("item", 6),), timed=True)


def timed(n: int, seed: int = 0, ids: np.ndarray | None = None, labels: np.ndarray | None = None) -> ArrayRows:
    """Rows whose order in time is not that in which they lie."""
    draw = np.random.default_rng(seed)
    ids = draw.integers(2, 6, n) if ids is None else ids
    labels = draw.integers(0, 2, n) if labels is None else labels
    order = draw.permutation(n)
    return ArrayRows(
        ids[:, None].astype(np.int32),
        np.arange(n, dtype=np.float32)[:, None],
        {},
        labels[:, None].astype(np.float32),
        order=order,
    )


class Watched(nn.Module):
    """Notes the numbers of the rows that it was trained on, by stage."""

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        super().__init__()
        self.linear, self.scheme, self.seen = LinearTerm(SCHEMA, 1), stages, list[list[int]]()

    def forward(self, batch: Batch) -> Tensor:
        if self.training:
            self.seen.append(batch.numeric[:, 0].long().tolist())
        return self.linear(batch)

    def stages(self) -> tuple[Stage, ...]:
        return self.scheme


def test_each_window_is_gone_through_in_turn_and_holds_what_followed_in_time() -> None:
    rows, stages = timed(101), IncrementalWindows(3).staged((Stage("first"), Stage("train")))
    model = Watched(stages)
    fitted = fit(model, rows, rows, TrainConfig(batch_size=10, max_epochs=2, patience=2, learning_rate=0.01))
    assert [e.stage for e in fitted.epochs] == [n for s in ("first", "train 1/3", "train 2/3", "train 3/3") for n in (s, s)]
    borders = [0, 34, 67, 101]
    wanted = [range(101)] * 2 + [rows.order[a:b] for a, b in pairwise(borders) for _ in range(2)]
    batches = iter(model.seen)
    for own in wanted:
        epoch = [row for _ in range(-(-len(own) // 10)) for row in next(batches)]
        assert sorted(epoch) == sorted(own) and (epoch != sorted(epoch))
    assert next(batches, None) is None
    assert fitted.best_epoch in (7, 8), "early stopping applies to the newest window"


def test_progress_runs_through_each_window_by_its_own_steps() -> None:
    class Paced(Watched):
        def set_progress(self, progress: float) -> None:
            self.told = [*getattr(self, "told", []), progress]

    rows, model = timed(100), Paced(IncrementalWindows(2).staged((Stage("train"),)))
    fit(model, rows, rows, TrainConfig(batch_size=10, max_epochs=2, patience=2))
    assert model.told == pytest.approx([i / 10 for i in range(10)] * 2)


def test_a_scheme_on_part_of_the_rows_is_cut_within_it() -> None:
    stages = IncrementalWindows(2).staged((Stage("train", epochs=0.5, freeze=("x",), rows=(0.2, 1.0)),))
    assert [s.rows for s in stages] == [(0.2, pytest.approx(0.6)), (pytest.approx(0.6), 1.0)]
    assert {(s.epochs, s.freeze) for s in stages} == {(0.5, ("x",))}


@pytest.mark.parametrize("rows", [(0.5, 0.5), (0.6, 0.5), (-0.1, 1.0), (0.0, 1.1)])
def test_shares_that_are_none_are_refused(rows: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="shares from 0 to 1"):
        Stage("train", rows=rows)
    with pytest.raises(ValueError, match="at least 2 windows"):
        IncrementalWindows(1)


def test_data_without_times_is_refused_and_so_are_too_few_rows() -> None:
    half = Stage("late", rows=(0.5, 1.0))
    for rows in (replace(timed(8), order=None), random_rows(PLAIN, 8)):
        assert rows_of(Stage("train"), rows) is rows
        with pytest.raises(
            ValueError, match="stage late goes through rows in order of time, and the data does not say when its rows were"
        ):
            rows_of(half, rows)
    with pytest.raises(ValueError, match="stage late has no rows: 3 are too few"):
        rows_of(replace(half, rows=(0.5, 0.6)), timed(3))


def test_rows_that_lie_on_a_device_keep_their_order() -> None:
    rows = timed(50)
    late = rows_of(Stage("late", rows=(0.5, 1.0)), Resident(rows, "cpu"))
    assert np.array_equal(late.batch(slice(0, 99)).numeric[:, 0].long().numpy(), np.sort(rows.order[25:]))
    assert np.array_equal(late.labels, rows.labels[np.sort(rows.order[25:])])


@dataclass
class Numbered:
    """Rows whose only id is their own number; remembers how they were asked for."""

    n: int
    asked: list[np.ndarray | slice] = field(default_factory=list)

    @property
    def labels(self) -> np.ndarray:
        return np.where(np.arange(self.n) % 3 > 0, 1.0, np.nan)[:, None].astype(np.float32)

    @property
    def order(self) -> np.ndarray:
        return np.arange(self.n)

    def __len__(self) -> int:
        return self.n

    def batch(self, rows: np.ndarray | slice) -> Batch:
        self.asked.append(rows)
        ids = torch.arange(self.n)[rows].unsqueeze(1)
        return Batch(ids, torch.zeros(len(ids), 0), labels=torch.from_numpy(self.labels[rows]))


def numbers(batches: list[Batch]) -> list[int]:
    return torch.cat([b.ids[:, 0] for b in batches]).tolist()


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(2, 30_000),
    share=st.floats(0.1, 0.9),
    window=st.sampled_from([10**9, 3 * BLOCK_ROWS * 12]),
    seed=st.integers(0, 9),
)
def test_every_row_of_a_span_comes_once_whether_it_fits_in_memory_or_not(n: int, share: float, window: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    chosen = np.sort(draw.permutation(n)[: max(1, round(share * n))])
    batches = list(shuffled(Span(Numbered(n), chosen), 1000, torch.Generator().manual_seed(seed), window))
    assert sorted(numbers(batches)) == chosen.tolist()


def test_a_span_of_a_table_in_order_of_time_is_read_in_slices() -> None:
    rows = Numbered(10 * BLOCK_ROWS)
    span = rows_of(Stage("late", rows=(0.5, 1.0)), rows)
    seen = numbers(list(shuffled(span, 512, torch.Generator().manual_seed(0), 2 * BLOCK_ROWS * 12)))
    assert sorted(seen) == list(range(5 * BLOCK_ROWS, 10 * BLOCK_ROWS)) and seen != sorted(seen)
    assert all(isinstance(asked, slice) and asked.stop - asked.start <= BLOCK_ROWS for asked in rows.asked)


@pytest.mark.parametrize("window", [10**9, 2 * BLOCK_ROWS * 12])
def test_members_of_a_team_share_out_a_span(window: int) -> None:
    span, n = rows_of(Stage("late", rows=(0.3, 0.9)), Numbered(5 * BLOCK_ROWS + 7)), 5 * BLOCK_ROWS + 7
    alone = list(shuffled(span, 1001, torch.Generator().manual_seed(4), window))
    parts = [list(shared_out(span, 1001, torch.Generator().manual_seed(4), Team(rank, 2), window)) for rank in (0, 1)]
    for whole, mine, theirs in zip(alone, *parts, strict=True):
        assert numbers([mine.batch, theirs.batch]) == numbers([whole])
        assert (mine.task_weights + theirs.task_weights).item() == pytest.approx(1)
    assert len(numbers(alone)) == round(0.9 * n) - round(0.3 * n)


def test_prepared_data_knows_the_order_of_its_train_rows(tmp_path: Path) -> None:
    made = prepared(tmp_path)  # in order of time already
    assert made.schema.timed and load_split(made.visible, "train").order.tolist() == list(range(made.sizes["train"]))
    assert load_split(made.visible, "valid").order is None
    table = log()
    assert table["at"].is_sorted()


WINDOWED = (
    MODEL.replace("from sandboxes.kit import Batch, Schema", "from sandboxes.kit import Batch, Schema, Stage").replace(
        "from sandboxes.kit.layers import DNN, FeatureEmbedding",
        "from sandboxes.kit.layers import DNN, FeatureEmbedding, IncrementalWindows",
    )
    + """
    def stages(self) -> tuple[Stage, ...]:
        return IncrementalWindows(3).staged((Stage("train"),))
"""
)


def test_a_job_trains_in_windows_and_says_when_the_data_has_no_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepared(tmp_path / "data")
    assert run_job(monkeypatch, tmp_path / "timed", made.visible, WINDOWED) == 0
    epochs = json.loads((tmp_path / "timed/out/result.json").read_text())["epochs"]
    assert [e["stage"] for e in epochs[::6]] == ["train 1/3", "train 2/3", "train 3/3"]
    (made.visible / "train.order.npy").unlink()
    assert run_job(monkeypatch, tmp_path / "untimed", made.visible, WINDOWED) == 1
    error = json.loads((tmp_path / "untimed/out/error.json").read_text())
    assert error["type"] == "ValueError" and "does not say when its rows were" in error["message"]


def test_and_of_its_train_events_where_items_are_predicted(tmp_path: Path) -> None:
    config = SyntheticVisits(users=60, items=40)
    made, table = prepare(synthetic_source(config), tmp_path), generate(config).table
    train = load_split(made.visible, "train")
    times = table.with_columns(left=-table["time"]).group_by("user", maintain_order=True).agg("time")
    expected = np.concatenate([t[:-2] for t in times["time"]])  # the last two are valid and test
    assert len(expected) == len(train) and (np.diff(expected[train.order]) >= 0).all()
    assert sorted(train.order.tolist()) == list(range(len(train)))


def drifted(n: int, end: float, seed: int) -> ArrayRows:
    """The appeal of either item turns into that of the other over time; `end` is how far it has come in the last row."""
    draw = np.random.default_rng(seed)
    time, ids = end * np.arange(n) / n if end < 1 else np.full(n, 1.0), draw.integers(2, 4, n)
    logit = np.where(ids == 2, 1.0, -1.0) * (1 - 2 * time) * 2
    shuffle = draw.permutation(n)
    labels = (draw.random(n) < 1 / (1 + np.exp(-logit))).astype(np.float32)
    return replace(timed(n, seed, ids[shuffle], labels[shuffle]), order=np.argsort(shuffle))


def test_going_with_time_ends_nearer_to_the_newest_window_than_shuffling() -> None:
    torch.set_num_threads(1)
    train, now = drifted(6000, 0.999, 1), drifted(2000, 1.0, 2)
    gaps = {}
    for name, scheme in (("shuffled", (Stage("train"),)), ("windows", IncrementalWindows(6).staged((Stage("train"),)))):
        torch.manual_seed(0)
        model = Watched(scheme)
        fit(model, train, now, TrainConfig(batch_size=50, max_epochs=3, patience=3, learning_rate=0.05))
        says = model.linear(Batch(torch.tensor([[2], [3]]), torch.zeros(2, 1)))
        assert len(model.seen) == 3 * 6000 // 50, "no more rows are seen than by others"
        gaps[name] = (says[1] - says[0]).item()
    assert abs(gaps["shuffled"]) < 1 and gaps["windows"] > 2, "in the newest window the gap has come from -4 to about 3.3"


def test_a_share_is_drawn_by_the_seed_alone_and_is_never_empty() -> None:
    rows = random_rows(PLAIN, 200)
    once, again, other = (drawn(rows, 0.1, seed).batch(slice(None)).ids for seed in (1, 1, 2))
    assert len(once) == 20
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert len(drawn(rows, 0.001, 1)) == 1
    assert drawn(rows, 1.0, 1) is rows
