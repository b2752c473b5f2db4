"""Tuning and seeds over a sandbox that answers as told: what fails is never a score, and what a job says of itself is not one.

The valid labels are 0 and 1 in turn; a job's "skill" decides how well its predictions order them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.autotrain.experiment import Experiment, ModelRuns, Stopped
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.results import result_of
from sandboxes.jobs import JobRunner, ModelSource
from sandboxes.protocol import Limits, RunRequest, RunResult

LABELS = np.tile([[0.0], [1.0]], (100, 1)).astype(np.float32)  # (200, 1)
BOAST = {"epoch": 1, "stage": "train", "train_loss": 0.1, "valid_auc": 0.999, "valid_log_loss": 0.01, "seconds": 1.0}
MODEL = ModelSource("candidate", reference="dnn")


@dataclass
class Told:
    """A sandbox in which a job of some settings ends as `ending` says: a status, or a skill from 0 (random) to 1 (perfect)."""

    ending: Callable[[dict[str, Any]], str | float]
    name: str = "told"
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def run(self, request: RunRequest, progress: object = None, cancelled: object = None) -> RunResult:
        job = json.loads(request.files["job.json"])
        self.jobs.append(job)
        request.outputs.mkdir(parents=True)
        end = self.ending(job)
        if isinstance(end, str):
            return RunResult(end, self.name, None, 5.0, reason="told so")  # type: ignore[arg-type]
        noise = np.random.default_rng(0).random(LABELS.shape)
        for split in job["predict"]:
            np.save(request.outputs / f"{split}.npy", (end * LABELS + (1 - end) * noise).astype(np.float32))
        said = {"device": "cpu", "parameters": 3, "epochs": [BOAST], "best_epoch": 1, "samples_per_s": 1.0, "seconds": 1.0}
        (request.outputs / "result.json").write_text(json.dumps(said))
        return RunResult("ok", self.name, 0, 5.0)


def plan(trials: int = 4, seeds: tuple[int, ...] = (1, 2, 3)) -> ExperimentPlan:
    return ExperimentPlan(
        dataset="d",
        data_hash="h",
        rows={"train": 1000, "valid": 200, "test": 200},
        synthetic=True,
        tasks=("label",),
        baselines=(),
        seeds=seeds,
        trials=trials,
        embedding_dim=8,
        batch_size=128,
        max_epochs=1,
        patience=1,
        threads=1,
        estimated_minutes=1.0,
        estimate_basis="",
    )


class Data:
    visible, data_hash = Path("visible"), "h"

    def hidden_labels(self, split: str) -> np.ndarray:
        assert split == "valid", "tuning may not look at test"
        return LABELS


def run(tmp_path: Path, ending: Callable[[dict[str, Any]], str | float], **of_plan: Any) -> tuple[ModelRuns, Told]:
    sandbox = Told(ending)
    runner = JobRunner(sandbox, tmp_path / "jobs", Limits())  # type: ignore[arg-type]
    experiment = Experiment(plan(**of_plan), Data(), runner, parallel=1)  # type: ignore[arg-type]
    return experiment.run([MODEL])[0], sandbox


def tuning(job: dict[str, Any]) -> bool:
    return bool(job["config"]["seed"] == 0)


@pytest.mark.parametrize("status", ["timed_out", "out_of_memory", "failed"])
def test_a_trial_that_does_not_end_well_is_no_score_and_is_never_chosen(tmp_path: Path, status: str) -> None:
    """Only the first trial ends, and it is hardly better than chance."""
    runs, _ = run(tmp_path, lambda job: 0.05 if not tuning(job) or job["config"]["learning_rate"] == 2e-3 else status)
    scores = [t.valid_auc for t in runs.trials]
    assert np.isfinite(scores[0]) and scores[0] < 0.7 and np.isnan(scores[1:]).all()
    assert runs.setting == runs.trials[0].setting


def test_when_no_trial_ends_the_model_failed_or_trains_by_the_default_but_has_no_tuned_score(tmp_path: Path) -> None:
    runs, _ = run(tmp_path, lambda job: "timed_out")
    assert np.isnan([t.valid_auc for t in runs.trials]).all()
    result = result_of(runs, "candidate")
    assert result.failed is not None and result.failed.status == "timed_out"


def test_the_better_trial_is_chosen_by_predictions_not_by_what_the_job_says_of_itself(tmp_path: Path) -> None:
    skills: dict[float, float] = {}

    def ending(job: dict[str, Any]) -> float:
        return skills.setdefault(job["config"]["learning_rate"], 0.05 + 0.1 * len(skills))

    runs, _ = run(tmp_path, ending)
    assert runs.setting == runs.trials[-1].setting
    assert all(t.valid_auc < BOAST["valid_auc"] for t in runs.trials)
    assert sorted(t.valid_auc for t in runs.trials) == [t.valid_auc for t in runs.trials]


def test_predictions_that_are_not_finite_or_of_another_shape_are_no_score(tmp_path: Path) -> None:
    runs, _ = run(tmp_path, lambda job: float("nan") if tuning(job) else 0.5)
    assert np.isnan([t.valid_auc for t in runs.trials]).all()


def test_every_seed_trains_by_the_chosen_setting_and_alone_predicts_test(tmp_path: Path) -> None:
    runs, sandbox = run(tmp_path, lambda job: 0.5)
    seeds = [job for job in sandbox.jobs if not tuning(job)]
    assert [job["config"]["seed"] for job in seeds] == [1, 2, 3]
    assert {job["config"]["learning_rate"] for job in seeds} == {runs.setting.learning_rate}
    assert all("test" in job["predict"] for job in seeds)
    assert not any("test" in job["predict"] for job in sandbox.jobs if tuning(job))


def test_a_stop_keeps_what_finished(tmp_path: Path) -> None:
    sandbox = Told(lambda job: 0.5)
    runner = JobRunner(sandbox, tmp_path / "jobs", Limits())  # type: ignore[arg-type]
    stopped = Experiment(plan(), Data(), runner, parallel=1, stop=lambda: len(sandbox.jobs) >= 3)  # type: ignore[arg-type]
    with pytest.raises(Stopped):
        stopped.run([MODEL])
    assert len(sandbox.jobs) == 3
    runs = Experiment(plan(), Data(), runner, parallel=1).run([MODEL])[0]  # type: ignore[arg-type]
    assert sum(t.finished.reused for t in runs.trials) == 3 and len(runs.seeds) == 3
