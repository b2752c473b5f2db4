"""The benchmark's pure parts: data that repeat, ratios within rounds, goals, the table, and contenders that fail."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from bench import criteo_shaped, fuxictr_zoo, movielens
from bench.arrays import read_meta, read_split
from bench.contenders.loop import Table
from bench.machine import products_per_sample
from bench.speed import Contender, contenders, run
from bench.speed_table import Run, ratio, rotated, table, verdicts

from sandboxes.kit.metrics import auc


def answered(contender: str, round: int, speed: float) -> Run:
    figures = {
        "samples_per_s": speed,
        "train_seconds": 2.0,
        "setup_seconds": 0.0,
        "peak_memory_mb": 100,
        "auc": 0.7,
        "log_loss": 0.5,
    }
    return Run(contender, round, {"version": "1.2", "note": "", **figures})


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (criteo_shaped.generate(2000, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_a_million_ids_in_39_fields_none_of_which_is_0_or_out_of_range() -> None:
    sizes = criteo_shaped.cardinalities()
    ids, _, _ = criteo_shaped.generate(20_000)
    assert len(sizes) == ids.shape[1] == 39
    assert sum(sizes) == criteo_shaped.IDS_IN_ALL
    assert ids.min() == 1
    assert (ids.max(0) < sizes).all()


def test_frequencies_fall_as_the_power_law_says() -> None:
    ids, _, _ = criteo_shaped.generate(50_000)
    field = int(np.argmax(criteo_shaped.cardinalities()))
    counts = np.sort(np.bincount(ids[:, field]))[::-1]
    slope = np.polyfit(np.log(np.arange(1, 101)), np.log(counts[:100]), 1)[0]
    assert -1.3 < slope < -0.9
    assert (counts == 1).sum() > 5_000  # and there is a long tail


def test_the_planted_truth_can_be_found_and_is_not_plain() -> None:
    _, labels, truth = criteo_shaped.generate(50_000)
    assert 0.75 < auc(labels, truth) < 0.80
    assert 0.2 < labels.mean() < 0.3


def test_the_truth_is_the_same_whatever_the_number_of_rows() -> None:
    """A field of two ids: its effect is seen as the gap of the mean logit between them."""
    gaps = []
    for rows in (20_000, 40_000):
        ids, _, truth = criteo_shaped.generate(rows)
        field = criteo_shaped.cardinalities().index(3)
        logit = np.log(truth / (1 - truth))
        gaps.append(logit[ids[:, field] == 1].mean() - logit[ids[:, field] == 2].mean())
    assert gaps[0] == pytest.approx(gaps[1], abs=0.05)
    assert abs(gaps[0]) > 0.06


def test_the_data_set_is_written_once_and_split_nine_to_one(tmp_path: Path) -> None:
    folder = criteo_shaped.prepared(tmp_path, rows=1000)
    written = (folder / "train.ids.npy").stat().st_mtime_ns
    assert criteo_shaped.prepared(tmp_path, rows=1000) == folder
    assert (folder / "train.ids.npy").stat().st_mtime_ns == written
    train, test = read_split(folder, "train"), read_split(folder, "test")
    assert (len(train), len(test)) == (900, 100)
    ids, labels, _ = criteo_shaped.generate(1000)
    seen = sorted(map(tuple, np.column_stack([np.r_[train.ids, test.ids], np.r_[train.labels, test.labels]]).tolist()))
    assert seen == sorted(map(tuple, np.column_stack([ids, labels]).tolist()))


def test_movielens_joins_user_and_item_to_each_rating(tmp_path: Path) -> None:
    (tmp_path / "ml-1m.inter").write_text("user_id:token\titem_id:token\trating:float\n" + "u1\tA\t5\nu2\tB\t3\n" * 10)
    (tmp_path / "ml-1m.user").write_text(
        "user_id:token\tage:float\tgender:token\toccupation:float\tzip_code:token\nu1\t1\tF\t10\t48067\nu2\t9\tM\t1\t48067\n"
    )
    (tmp_path / "ml-1m.item").write_text('item_id:token\trelease_year:float\nA\t1995\nB\t1996\n"C\t1997\n')
    folder = movielens.prepared(tmp_path / "home", tmp_path)
    meta, train = read_meta(folder), read_split(folder, "train")
    assert meta.cardinalities == (3, 3, 3, 3, 3, 2, 3)
    rows = {(tuple(ids), float(label)) for ids, label in zip(train.ids.tolist(), train.labels, strict=True)}
    assert rows == {((1, 1, 1, 1, 2, 1, 1), 1.0), ((2, 2, 2, 2, 1, 1, 2), 0.0)}


def test_a_ratio_is_taken_within_each_round() -> None:
    """A slow second round moves both sides; the ratio of medians would be 10 / 3, the median of ratios is 2."""
    runs = [answered("kit", r, s) for r, s in enumerate((10.0, 1.0, 12.0))]
    runs += [answered("peer", r, s) for r, s in enumerate((5.0, 0.5, 3.0))]
    assert ratio(runs, "peer") == 2.0


def test_a_round_in_which_one_side_failed_does_not_count() -> None:
    runs = [answered("kit", 0, 10.0), answered("peer", 0, 5.0), answered("kit", 1, 10.0), Run("peer", 1, None, "boom")]
    assert ratio(runs, "peer") == 2.0
    assert ratio(runs, "absent") is None


def test_goals_are_held_against_the_fastest_rival() -> None:
    speeds = {"kit": 40.0, "slow": 4.0, "fast": 10.0, "loop": 50.0, "loop compile": 40.0}
    runs = [answered(name, 0, speed) for name, speed in speeds.items()]
    assert verdicts(runs, "deepfm", "criteo-shaped-1-0") == [
        "missed by 20%: 5 times the fastest peer; 4.00 times fast",
        "missed by 11%: 0.9 times the fastest loop; 0.80 times loop",
    ]
    assert verdicts(runs, "dcnv2", "criteo-shaped-1-0")[0] == "met: 4 times the fastest peer; 4.00 times fast"
    assert verdicts(runs, "deepfm", "movielens-1m-0")[0] == "met: 3.5 times the fastest peer; 4.00 times fast"
    assert verdicts(runs[:1], "deepfm", "movielens-1m-0")[0] == "not measured: 3.5 times the fastest peer"


def test_a_goal_that_is_met_without_some_rival_says_without_whom() -> None:
    runs = [answered("kit", 0, 40.0), answered("slow", 0, 4.0), Run("fast", 0, None, "boom")]
    assert verdicts(runs, "deepfm", "criteo-shaped-1-0")[0].endswith("10.00 times slow, with no figure for fast")


def test_the_table_puts_the_fastest_first_and_shows_why_one_is_missing() -> None:
    runs = [Run("broken", 0, None, "ImportError: a | b"), answered("peer", 0, 5000.0), answered("kit", 0, 20000.0)]
    rows = table(runs)[2:]
    assert rows[0] == "| kit | 20.0 | 1.00 | 2.0 | 0.0 | 100 | 0.7000 | 0.5000 | 1 of 1 |  |"
    assert rows[1].startswith("| peer 1.2 | 5.0 | 4.00 |")
    assert rows[2] == "| broken | - | - | - | - | - | - | - | 0 of 1 | failed: ImportError: a / b |"


def test_each_contender_is_first_once_and_none_is_lost() -> None:
    orders = [rotated(["a", "b", "c"], r) for r in range(3)]
    assert [order[0] for order in orders] == ["a", "b", "c"]
    assert all(sorted(order) == ["a", "b", "c"] for order in orders)


def test_bf16_takes_part_only_where_it_pays() -> None:
    assert [c.name for c in contenders(False, ["kit", "loop"])] == ["kit", "loop", "loop compile", "loop onednn"]
    assert "loop bf16 compile" in {c.name for c in contenders(True, None)}


def test_a_contender_that_cannot_run_is_an_answer_of_its_own(tmp_path: Path) -> None:
    data = criteo_shaped.prepared(tmp_path, rows=100)
    gone = run(Contender("gone", "loop", tmp_path / "no-python"), data, "deepfm", 0, 1)
    assert (gone.answer, "No such file" in gone.failure) == (None, True)


def test_fuxictr_without_its_model_files_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fuxictr_zoo.VARIABLE, str(tmp_path))
    with pytest.raises(fuxictr_zoo.NoZoo, match="name a checkout"):
        fuxictr_zoo.find(tmp_path)


def test_the_operations_of_deepfm_by_hand() -> None:
    multiply_adds = 2 * 16 * 400 + 400 * 400 + 400 * 400 + 400
    assert products_per_sample("deepfm", 2) == 6 * multiply_adds
    assert products_per_sample("dcnv2", 2) == 6 * (multiply_adds + 3 * 32 * 32 + 32)


def test_the_loop_finds_each_row_once_and_steps_as_adam_does() -> None:
    ids = torch.tensor([4, 1, 4, 0, 1], dtype=torch.int32)
    table_of_rows = Table(6, 3)
    rows, place = table_of_rows.distinct(ids)
    assert sorted(rows.tolist()) == [0, 1, 4]
    assert torch.equal(rows[place], ids)
    parameter = torch.nn.Parameter(table_of_rows.weight[rows].clone())
    adam = torch.optim.Adam([parameter], lr=1e-3)
    before = table_of_rows.weight.clone()
    for _ in range(3):
        gradient = torch.randn(3, 3)
        parameter.grad = gradient.clone()
        adam.step()
        table_of_rows.update(rows, table_of_rows.weight[rows], gradient)
    torch.testing.assert_close(table_of_rows.weight[rows], parameter.data)
    assert torch.equal(table_of_rows.weight[[2, 3, 5]], before[[2, 3, 5]])


@pytest.mark.slow
def test_the_loop_learns_and_answers_in_one_line(tmp_path: Path) -> None:
    data = criteo_shaped.prepared(tmp_path, rows=2000)
    own = run(Contender("loop", "loop", Path(sys.executable)), data, "deepfm", 0, 1)
    assert own.answer is not None, own.failure
    assert own.answer["rows"] == 1800
    assert own.answer["samples_per_s"] == pytest.approx(1800 / own.answer["train_seconds"], rel=0.05)
    assert 0.3 < own.answer["auc"] < 0.9
    assert json.loads(json.dumps(own.answer)) == own.answer
