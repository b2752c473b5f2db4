"""Steps that score, track and tell go by the names of metrics, whichever the data asks for."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from example_report import Simulation
from rich.console import Console

from agents.autotrain.results import ModelResult, SeedRow
from agents.compare import ITEMS, LABELS, LabelTruth, ListTruth, truth_of
from sandboxes.kit.data import Prepared
from sandboxes.kit.ranking import LONGEST, Answers
from sandboxes.kit.schema import CategoricalField, Schema, Task
from sandboxes.reports import EpochRow
from workflows.console import LiveWatch, PlainWatch
from workflows.steps.judging import ModelScores, _scores, _truths
from workflows.steps.track import _series, _test_metrics

ITEM = CategoricalField("item", 200, "item")


def prepared(root: Path, schema: Schema) -> Prepared:
    """Valid and test of 12 rows or queries."""
    (root / "hidden").mkdir(parents=True)
    for split, seed in (("valid", 1), ("test", 2)):
        rng = np.random.default_rng(seed)
        if schema.predicts == "items":
            Answers(np.arange(13), rng.integers(2, 100, 12).astype(np.int32)).save(root / "hidden", f"{split}.answers")
        else:
            np.save(root / "hidden" / f"{split}.labels.npy", np.tile([[0.0], [1.0]], (6, 1)).astype(np.float32))
        np.save(root / "hidden" / f"{split}.groups.npy", np.arange(12) // 2)
    return Prepared("d", root, schema, "h", {"train": 9, "valid": 12, "test": 12}, synthetic=True, provenance="")


def test_the_truth_is_of_the_kind_that_the_schema_asks_for(tmp_path: Path) -> None:
    items = prepared(tmp_path / "items", Schema((ITEM,), tasks=(Task("view"),), target_item="item", predicts="items"))
    labels = prepared(tmp_path / "labels", Schema((ITEM,), tasks=(Task("view"),), target_item="item"))
    asked, told = truth_of(items, "test"), truth_of(labels, "test")
    assert isinstance(asked, ListTruth) and isinstance(told, LabelTruth)
    assert (asked.question, told.question) == (ITEMS, LABELS)
    for truth in (asked, told):
        assert (list(truth.tasks), len(truth), truth.groups is not None) == (["view"], 12, True)
    assert asked.n_items == 200 and not np.array_equal(asked.answers.items, truth_of(items, "valid").answers.items)  # type: ignore[attr-defined]


def test_lists_are_scored_on_both_splits_and_bad_ones_are_a_failure(tmp_path: Path) -> None:
    made = prepared(tmp_path, Schema((ITEM,), target_item="item", predicts="items"))
    ctx = SimpleNamespace(prepared=made, jobs=tmp_path / "jobs")
    for seed in (1, 2):
        (ctx.jobs / f"job{seed}").mkdir(parents=True)
        for split in ("valid", "test"):
            lists = np.tile(np.arange(100, 100 + LONGEST, dtype=np.int32), (12, 1))
            lists[:, 0 if split == "valid" else 2] = made.hidden_answers(split).items
            lists[:, 1 - seed % 2] = lists[:, 0]  # of seed 2 an item stands twice
            lists[:, 50:] = -1
            np.save(ctx.jobs / f"job{seed}" / f"{split}.npy", lists)
    rows = tuple(SeedRow(job=f"job{s}", status="ok", seed=s) for s in (1, 2))
    found = _scores(ctx, ModelResult(name="m", role="candidate", setting={}, trials=(), seeds=rows), _truths(ctx))  # type: ignore[arg-type]
    assert found.valid == {1: 1.0} and set(found.test) == {1}
    assert found.test[1].primary.values["ndcg"] == pytest.approx(1 / 2)
    assert found.failure == "seed 2: 12 of 12 lists hold an item twice"
    assert found.mean_valid == 1.0 and found.means["recall"] == 1.0


def test_a_metric_that_valid_does_not_define_counts_as_nothing(tmp_path: Path) -> None:
    made = prepared(tmp_path, Schema((ITEM,), target_item="item"))
    np.save(tmp_path / "hidden" / "valid.labels.npy", np.zeros((12, 1), np.float32))
    ctx = SimpleNamespace(prepared=made, jobs=tmp_path / "jobs")
    (ctx.jobs / "job").mkdir(parents=True)
    for split in ("valid", "test"):
        np.save(ctx.jobs / "job" / f"{split}.npy", np.linspace(0.1, 0.9, 12, dtype=np.float32)[:, None])
    run = SeedRow(job="job", status="ok", seed=1)
    found = _scores(ctx, ModelResult(name="m", role="candidate", setting={}, trials=(), seeds=(run,)), _truths(ctx))  # type: ignore[arg-type]
    assert found.valid == {1: 0.0} and ModelScores.model_validate_json(found.model_dump_json()) == found


def test_means_are_over_the_seeds_where_a_metric_is_defined() -> None:
    simulated = Simulation(rows=1500)
    scores = dict(simulated.scores["dnn"])
    first = scores[1].primary
    scores[1] = scores[1].model_copy(update={"tasks": (first.model_copy(update={"values": {"auc": first.values["auc"]}}),)})
    means = ModelScores(name="dnn", test=scores, valid={}).means
    assert means["auc"] == pytest.approx(np.mean([s.primary.values["auc"] for s in scores.values()]))
    assert means["log_loss"] == pytest.approx(np.mean([scores[s].primary.values["log_loss"] for s in (2, 3, 4, 5)]))


def test_tracked_names() -> None:
    labels, items = (Simulation(rows=600, predicts=p).scores["candidate"][1] for p in ("labels", "items"))  # type: ignore[arg-type]
    assert set(_test_metrics(labels)) == {
        *("test_auc", "test_log_loss", "test_group_auc"),
        *("test_auc_purchase", "test_log_loss_purchase", "test_group_auc_purchase"),
    }
    assert set(_test_metrics(items)) == {f"test_{name}" for name in ITEMS.scores}


def test_of_what_a_run_said_of_its_epochs_only_known_metrics_are_tracked() -> None:
    told = [{"auc": 0.7, "log_loss": 0.5, "made up": 1.0}, {"auc": 0.8}]
    epochs = tuple(EpochRow(epoch=i, stage="t", train_loss=0.4, valid=v, seconds=1.0) for i, v in enumerate(told, 1))
    series = _series(LABELS, SeedRow(job="j", status="ok", seed=1, epochs=epochs))
    assert [(s.name, list(s.steps), list(s.values)) for s in series] == [
        ("epoch_train_loss", [1, 2], [0.4, 0.4]),
        ("epoch_valid_auc", [1, 2], [0.7, 0.8]),
        ("epoch_valid_log_loss", [1], [0.5]),
    ]


@pytest.mark.parametrize(("metric", "words"), [("auc", "AUC"), ("ndcg", "nDCG@20")])
def test_a_person_reads_the_metric_on_valid_in_words(metric: str, words: str) -> None:
    out = io.StringIO()
    run = {"model": "dnn", "what": "seed 1"}
    finished = {"event": "run_finished", **run, "status": "ok", "reused": False, "seconds": 1.5, "valid": {metric: 0.12345}}
    PlainWatch(Console(file=out, width=100))(finished)
    assert out.getvalue() == f"  dnn, seed 1: valid {words} 0.12345 (1.5 s)\n"
    live = LiveWatch(Console(file=io.StringIO(), force_terminal=True, width=100))
    live({"event": "run_started", **run})
    live({"event": "epoch", "epoch": 2.0, **run, "valid": {metric: 0.12345}})
    assert live._progress.tasks[-1].description == f"  dnn seed 1 epoch 2 valid {words} 0.1235"
    live({"event": "epoch", "epoch": 3.0, **run})  # nothing was said of valid
    live.close()
