"""The comparison with FuxiCTR: its statistics, its reading of BARS' files, its memory of results."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from bench import right_data
from bench.arrays import read_meta, read_split
from bench.right_settings import PAIRS, PROTOCOLS
from bench.right_table import board, compared, lines

SAME = [0.80, 0.81, 0.82, 0.83, 0.84]


def test_a_difference_within_the_noise_is_not_below() -> None:
    c = compared([s - 0.001 for s in SAME], SAME, higher_is_better=True)
    assert not c.below and c.difference == pytest.approx(-0.001)
    assert c.standard_error == pytest.approx((2 * 0.00025 / 5) ** 0.5)
    assert c.kit == pytest.approx((0.819, 0.00025**0.5)) and c.fuxictr == pytest.approx((0.82, 0.00025**0.5))


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_beyond_the_noise_it_is_below_on_the_worse_side_only(higher_is_better: bool) -> None:
    worse = [s - 0.1 if higher_is_better else s + 0.1 for s in SAME]
    assert compared(worse, SAME, higher_is_better).below
    assert not compared(SAME, worse, higher_is_better).below


def test_the_interval_is_welchs_at_95_percent() -> None:
    """For equal deviations and five runs a side it has eight degrees of freedom, whose quantile is 2.306."""
    error = compared(SAME, SAME, True).standard_error
    assert not compared([s - 2.30 * error for s in SAME], SAME, True).below
    assert compared([s - 2.31 * error for s in SAME], SAME, True).below


def test_it_calls_equal_models_below_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    called = [compared(list(rng.normal(size=5)), list(rng.normal(size=5)), True).below for _ in range(4000)]
    assert 0.015 < np.mean(called) < 0.035


def test_one_seed_has_no_verdict_and_none_is_an_error() -> None:
    assert not compared([0.1], [0.9], True).below
    with pytest.raises(ValueError, match="one side has no results"):
        compared([], [0.9], True)


def results(kit: list[float], fuxictr: list[float]) -> dict[tuple[str, str, str], list[dict[str, float]]]:
    sides = (("kit", kit), ("fuxictr", fuxictr))
    return {("Frappe_x1", "dnn", side): [{"auc": a, "log_loss": 1 - a} for a in aucs] for side, aucs in sides}


def test_the_table_has_a_verdict_over_both_metrics() -> None:
    assert lines(results(SAME, SAME))[2].endswith("| equal or better |")
    assert lines(results([s - 0.1 for s in SAME], SAME))[2].endswith("| below |")
    assert lines(results(SAME[:1], SAME[:1]))[2].endswith("| one seed: none |")
    mixed = results(SAME, SAME)
    for r in mixed["Frappe_x1", "dnn", "kit"]:
        r["log_loss"] += 0.1
    assert lines(mixed)[2].endswith("| below |")
    assert len(lines({k: v for k, v in mixed.items() if "kit" in k})) == 2  # nothing to compare with


def test_the_published_board_stands_beside() -> None:
    row = board(results([0.9850, 0.9852], [0.98, 0.98]))[2]
    assert row == "| Frappe_x1 | dnn | 0.9840 | 0.9851 | +0.0011 | 0.9800 | -0.0040 |"
    assert board({}) == []


def test_official_files_keep_their_splits_and_unseen_values_share_an_id(tmp_path: Path) -> None:
    for split, rows in (("train", "1,b,9\n0,a,10\n1,b,10\n"), ("valid", "0,c,9\n"), ("test", "1.0,a,11\n0,b,9\n")):
        (tmp_path / f"{split}.csv").write_text("label,user,item\n" + rows, encoding="utf-8")
    folder = right_data.bars(tmp_path / "home", "Frappe_x1", tmp_path)
    assert read_meta(folder).fields == ("user", "item")
    ids = {split: read_split(folder, split).ids.tolist() for split in ("train", "valid", "test")}
    assert ids == {"train": [[3, 3], [2, 2], [3, 2]], "valid": [[1, 3]], "test": [[2, 1], [3, 3]]}
    assert read_split(folder, "test").labels.tolist() == [1, 0]
    assert all(np.max(ids["train"], 0) < read_meta(folder).cardinalities)


def test_settings_of_both_sides_can_be_written_down() -> None:
    fields = ("user", "item", "cost", "city")
    for protocol in PROTOCOLS.values():
        for pair in PAIRS.values():
            said = pair.fuxictr(protocol, fields)
            assert json.loads(json.dumps(said)) == said
            l2 = {said.get("regularizer"), said.get("embedding_regularizer")}
            assert protocol.embedding_l2 in l2
    gates = PAIRS["finalmlp"].fuxictr(PROTOCOLS["frappe"], fields)
    assert (gates["fs1_context"], gates["fs2_context"]) == (["user"], ["item", "cost"])
