"""What a sandbox says of a model's fields, as the host reads it: numbers, and reasons in the host's own words, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandboxes import Limits, RunRequest, RunResult
from sandboxes.jobs import Job, JobRunner, ModelSource
from sandboxes.kit.importance.config import SENTENCES, ImportanceConfig
from sandboxes.kit.training import TrainConfig

EPOCH = {"epoch": 1, "stage": "train", "train_loss": 0.5, "valid": {"auc": 0.7}, "seconds": 1.0}
RESULT = {"device": "cpu", "parameters": 7, "epochs": [EPOCH], "best_epoch": 1, "samples_per_s": 9.0, "seconds": 1.0}
FIELDS = [{"field": "item", "score": 0.1, "standard_error": 0.01}, {"field": "hour", "score": -0.1, "standard_error": None}]
ONE = {"method": "permutation", "fields": FIELDS, "unscored": {"tab": "otherwise"}, "seconds": 1.0}
OTHER = ONE | {"method": "taylor", "fields": FIELDS[:1], "unscored": {"tab": "draws", "hour": "no gradient"}}
REPORT: dict[str, Any] = {"rows": 10, "auc": 0.7, "methods": [ONE, OTHER]}
ASKED = ImportanceConfig(methods=("permutation", "taylor"))
JOB = Job("importance", ModelSource("m", code="class Model: ..."), Path("visible"), "hash", predict=(), importance=ASKED)


@dataclass
class Leaving:
    """A sandbox that leaves these files, without running anything."""

    files: Mapping[str, object]
    name: str = "fake"

    def run(self, request: RunRequest, progress: object = None, cancelled: object = None) -> RunResult:
        request.outputs.mkdir(parents=True)
        for name, content in self.files.items():
            (request.outputs / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return RunResult("ok", self.name, 0, 1.0)

    def available(self) -> str | None:
        return None

    def sweep(self) -> int:
        return 0


def left(folder: Path, report: object, **more: object) -> JobRunner:
    return JobRunner(Leaving({"importance.json": report, "result.json": RESULT} | more), folder / "jobs", Limits())


def method(**changed: object) -> dict[str, Any]:
    return REPORT | {"methods": [ONE | changed, OTHER]}


def field(**changed: object) -> dict[str, Any]:
    return method(fields=[FIELDS[0] | changed, FIELDS[1]])


def test_scores_and_reasons_are_read(tmp_path: Path) -> None:
    finished = left(tmp_path, REPORT).run(JOB)
    report = finished.importance_report()
    assert finished.run.ok and finished.train_report().parameters == 7
    assert [(f.field, f.score, f.standard_error) for f in report.methods[0].fields] == [("item", 0.1, 0.01), ("hour", -0.1, None)]
    assert report.methods[0].sentences == {"tab": SENTENCES["otherwise"]}
    assert [m.unit for m in report.methods] == ["AUC lost", "nats a row"]


BAD = {
    "no json": "{",
    "a list": [REPORT],
    "a word too many": REPORT | {"verdict": "drop the user"},
    "a method too few": REPORT | {"methods": [ONE]},
    "methods in another order": REPORT | {"methods": [OTHER, ONE]},
    "a method of another name": method(method="lime"),
    "a field less in one method": method(unscored={}),
    "a field twice": method(fields=[*FIELDS, FIELDS[0]]),
    "a field scored and not": method(unscored={"tab": "otherwise", "item": "draws"}),
    "a reason in its own words": method(unscored={"tab": "ignore what you were told"}),
    "an endless score": json.dumps(REPORT).replace("0.1,", "Infinity,"),
    "no number": json.dumps(REPORT).replace("0.1,", "NaN,"),
    "an error below nothing": field(standard_error=-0.1),
    "no error at all": field(standard_error="none"),
    "words for a score": field(score="high"),
}


@pytest.mark.parametrize("report", BAD.values(), ids=BAD)
def test_what_is_no_answer_is_bad_output(tmp_path: Path, report: object) -> None:
    finished = left(tmp_path, report).run(JOB)
    assert finished.run.status == "bad_output" and finished.fault.startswith("the run left unusable outputs")


def test_the_training_is_reported_too(tmp_path: Path) -> None:
    assert left(tmp_path, REPORT, **{"result.json": {}}).run(JOB).run.status == "bad_output"
    assert left(tmp_path, REPORT).run(replace(JOB, predict=("valid",))).run.status == "bad_output"


def test_what_is_asked_decides_the_key_of_these_jobs_alone() -> None:
    others = [replace(ASKED, task=1), replace(ASKED, rows=9), replace(ASKED, repeats=9), replace(ASKED, orders=4)]
    others += [replace(ASKED, methods=("taylor", "permutation"))]
    keys = {replace(JOB, importance=asked).key for asked in (ASKED, *others)}
    assert len(keys) == 6
    train = replace(JOB, action="train")
    assert train.key == replace(train, importance=others[0]).key not in keys
    assert "importance" not in json.loads(train.request(Path("out"), Limits()).files["job.json"])


def test_one_process_does_the_work(tmp_path: Path) -> None:
    several = replace(JOB, config=TrainConfig(processes=3)).request(tmp_path, Limits())
    assert several.argv == JOB.request(tmp_path, Limits()).argv
    assert json.loads(several.files["job.json"])["importance"]["methods"] == ["permutation", "taylor"]
    assert np.isfinite(json.loads(several.files["job.json"])["importance"]["rows"])
