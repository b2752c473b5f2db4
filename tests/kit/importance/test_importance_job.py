"""The job inside a sandbox, run in this process: it trains, and says of each field how useful it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from small_shop import prepared, run_job

from sandboxes.jobs import Finished, Job, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.importance import ImportanceConfig
from sandboxes.kit.importance.config import NAMES
from sandboxes.kit.importance.fields import field_names
from sandboxes.kit.metrics import auc
from sandboxes.kit.training.config import TrainConfig
from sandboxes.protocol import RunResult

ASKED = ImportanceConfig(repeats=2, orders=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(tmp_path_factory.mktemp("shop"))


def ranked(made: Prepared, place: Path, monkeypatch: pytest.MonkeyPatch, asked: ImportanceConfig = ASKED) -> Finished:
    """What the host's own job leaves, as the host reads it."""
    config = TrainConfig(seed=1, learning_rate=1e-2, batch_size=64, max_epochs=4, patience=4)
    job = Job(
        "importance", ModelSource("m", code="..."), made.visible, made.data_hash, {"embedding_dim": 4}, config, importance=asked
    )
    said = json.loads(job._job_json())
    assert said.pop("model") == {"file": "model.py"}
    assert run_job(monkeypatch, place, made.visible, **said) == 0
    return Finished(job, RunResult("ok", "process"), place / "out")


def test_every_method_speaks_of_every_field(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = ranked(made, tmp_path / "job", monkeypatch)
    report = finished.importance_report()
    assert [m.method for m in report.methods] == list(NAMES) and report.rows == made.sizes["valid"]
    assert all([f.field for f in m.fields] == list(field_names(made.schema)) for m in report.methods[:2])
    assert all({f.field for f in m.fields} == set(field_names(made.schema)) for m in report.methods)
    useful = {f.field: f.score for f in report.methods[0].fields}
    assert useful["shop"] > max(useful["raw"], useful["member"], useful["size"])


def test_what_a_training_leaves_is_left_too(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = ranked(made, tmp_path / "job", monkeypatch, ImportanceConfig(methods=("taylor",)))
    names = {p.name for p in (tmp_path / "job" / "out").iterdir()}
    assert names == {"result.json", "progress.jsonl", "valid.npy", "importance.json"}
    assert len(finished.train_report().epochs) == 4
    predicted, labels = finished.predictions("valid")[:, 0], made.hidden_labels("valid")[:, 0]
    assert finished.importance_report().auc == pytest.approx(auc(labels, predicted))


def test_the_same_job_says_the_same(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (ranked(made, tmp_path / name, monkeypatch).importance_report() for name in ("a", "b"))
    for one, other in zip(first.methods, second.methods, strict=True):
        assert np.allclose([f.score for f in one.fields], [f.score for f in other.fields], atol=1e-6)


def test_the_second_task_is_asked_about(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = [
        ranked(made, tmp_path / str(task), monkeypatch, ImportanceConfig(("permutation",), task)).importance_report()
        for task in (0, 1)
    ]
    assert reports[0].auc != reports[1].auc and reports[0].methods[0].fields != reports[1].methods[0].fields


def test_a_task_that_is_not_there_is_a_fault(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asdict(ImportanceConfig(task=2))
    assert run_job(monkeypatch, tmp_path / "job", made.visible, action="importance", importance=asked) == 1
    assert "2 tasks" in json.loads((tmp_path / "job" / "out" / "error.json").read_text())["message"]
