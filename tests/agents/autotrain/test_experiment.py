"""Tuning and seeds over a sandbox that answers as told: what fails is never a score, and what a job says of itself is not one.

The valid labels are 0 and 1 in turn; a job's "skill" decides how well its predictions order them. Where items are asked for,
the right one stands at the higher a place, the greater the skill.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.autotrain.experiment import Experiment, ModelRuns
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.results import result_of
from agents.errors import Stopped
from sandboxes.jobs import JobRunner, ModelSource
from sandboxes.kit.ranking import Answers
from sandboxes.kit.schema import CategoricalField, Schema
from sandboxes.protocol import Limits, RunRequest, RunResult

LABELS = np.tile([[0.0], [1.0]], (100, 1)).astype(np.float32)  # (200, 1)
BOAST: dict[str, Any] = {
    "epoch": 1,
    "stage": "train",
    "train_loss": 0.1,
    "valid": {"auc": 0.999, "log_loss": 0.01},
    "seconds": 1.0,
}
MODEL = ModelSource("candidate", reference="dnn")


@dataclass
class Told:
    """A sandbox in which a job of some settings ends as `ending` says: a status, or a skill from 0 (random) to 1 (perfect)."""

    ending: Callable[[dict[str, Any]], str | float]
    predict: Callable[[float], np.ndarray]
    name: str = "told"
    says: tuple[str, ...] = ()
    jobs: list[dict[str, Any]] = field(default_factory=list)

    def run(self, request: RunRequest, progress: Callable[[str], None], cancelled: object = None) -> RunResult:
        job = json.loads(request.files["job.json"])
        self.jobs.append(job)
        request.outputs.mkdir(parents=True)
        for line in self.says:
            progress(line)
        end = self.ending(job)
        if isinstance(end, str):
            return RunResult(end, self.name, None, 5.0, reason="told so")  # type: ignore[arg-type]
        for split in job["predict"]:
            np.save(request.outputs / f"{split}.npy", self.predict(end))
        said = {"device": "cpu", "parameters": 3, "epochs": [BOAST], "best_epoch": 1, "samples_per_s": 1.0, "seconds": 1.0}
        (request.outputs / "result.json").write_text(json.dumps(said))
        return RunResult("ok", self.name, 0, 5.0)


def probabilities(skill: float) -> np.ndarray:
    noise = np.random.default_rng(0).random(LABELS.shape)
    return (skill * LABELS + (1 - skill) * noise).astype(np.float32)


def lists(skill: float) -> np.ndarray:
    """All queries' answer is item 2."""
    made = np.tile(np.arange(3, 103, dtype=np.int32), (30, 1))
    made[:, round(20 * (1 - skill))] = 2
    return made


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
    schema = Schema((CategoricalField("user", 9),))

    def groups(self, split: str) -> None:
        return None

    def hidden_labels(self, split: str) -> np.ndarray:
        assert split == "valid", "tuning may not look at test"
        return LABELS


class Items(Data):
    schema = Schema((CategoricalField("item", 103, "item"),), target_item="item", predicts="items")

    def hidden_answers(self, split: str) -> Answers:
        assert split == "valid", "tuning may not look at test"
        return Answers(np.arange(31), np.full(30, 2, np.int32))


def run(
    tmp_path: Path,
    ending: Callable[[dict[str, Any]], str | float],
    data: Data | None = None,
    predict: Callable[[float], np.ndarray] = probabilities,
    emit: Callable[[dict[str, object]], None] = lambda event: None,
    **of_plan: Any,
) -> tuple[ModelRuns, Told]:
    sandbox = Told(ending, predict)
    runner = JobRunner(sandbox, tmp_path / "jobs", Limits())  # type: ignore[arg-type]
    experiment = Experiment(plan(**of_plan), data or Data(), runner, parallel=1, emit=emit)  # type: ignore[arg-type]
    return experiment.run([MODEL])[0], sandbox


def tuning(job: dict[str, Any]) -> bool:
    return bool(job["config"]["seed"] == 0)


@pytest.mark.parametrize("status", ["timed_out", "out_of_memory", "failed"])
def test_a_trial_that_does_not_end_well_is_no_score_and_is_never_chosen(tmp_path: Path, status: str) -> None:
    """Only the first trial ends, and it is hardly better than chance."""
    runs, _ = run(tmp_path, lambda job: 0.05 if not tuning(job) or job["config"]["learning_rate"] == 2e-3 else status)
    scores = [t.valid for t in runs.trials]
    assert np.isfinite(scores[0]) and scores[0] < 0.7 and np.isnan(scores[1:]).all()
    assert runs.setting == runs.trials[0].setting


def test_when_no_trial_ends_the_model_failed_or_trains_by_the_default_but_has_no_tuned_score(tmp_path: Path) -> None:
    runs, _ = run(tmp_path, lambda job: "timed_out")
    assert np.isnan([t.valid for t in runs.trials]).all()
    result = result_of(runs, "candidate")
    assert result.failed is not None and result.failed.status == "timed_out"


def test_the_better_trial_is_chosen_by_predictions_not_by_what_the_job_says_of_itself(tmp_path: Path) -> None:
    skills: dict[float, float] = {}

    def ending(job: dict[str, Any]) -> float:
        return skills.setdefault(job["config"]["learning_rate"], 0.05 + 0.1 * len(skills))

    runs, _ = run(tmp_path, ending)
    assert runs.setting == runs.trials[-1].setting
    assert all(t.valid < BOAST["valid"]["auc"] for t in runs.trials)
    assert sorted(t.valid for t in runs.trials) == [t.valid for t in runs.trials]


def test_predictions_that_are_not_finite_or_of_another_shape_are_no_score(tmp_path: Path) -> None:
    runs, _ = run(tmp_path, lambda job: float("nan") if tuning(job) else 0.5)
    assert np.isnan([t.valid for t in runs.trials]).all()


def test_every_seed_trains_by_the_chosen_setting_and_alone_predicts_test(tmp_path: Path) -> None:
    runs, sandbox = run(tmp_path, lambda job: 0.5)
    seeds = [job for job in sandbox.jobs if not tuning(job)]
    assert [job["config"]["seed"] for job in seeds] == [1, 2, 3]
    assert {job["config"]["learning_rate"] for job in seeds} == {runs.setting.learning_rate}
    assert all("test" in job["predict"] for job in seeds)
    assert not any("test" in job["predict"] for job in sandbox.jobs if tuning(job))


def test_a_stop_keeps_what_finished(tmp_path: Path) -> None:
    sandbox = Told(lambda job: 0.5, probabilities)
    runner = JobRunner(sandbox, tmp_path / "jobs", Limits())  # type: ignore[arg-type]
    stopped = Experiment(plan(), Data(), runner, parallel=1, stop=lambda: len(sandbox.jobs) >= 3)  # type: ignore[arg-type]
    with pytest.raises(Stopped):
        stopped.run([MODEL])
    assert len(sandbox.jobs) == 3
    runs = Experiment(plan(), Data(), runner, parallel=1).run([MODEL])[0]  # type: ignore[arg-type]
    assert sum(t.finished.reused for t in runs.trials) == 3 and len(runs.seeds) == 3


def test_where_items_are_asked_for_trials_are_chosen_by_their_lists(tmp_path: Path) -> None:
    skills: dict[float, float] = {}
    events: list[dict[str, object]] = []

    def ending(job: dict[str, Any]) -> float:
        return skills.setdefault(job["config"]["learning_rate"], 0.2 + 0.25 * len(skills))

    runs, _ = run(tmp_path, ending, Items(), lists, events.append)
    assert runs.setting == runs.trials[-1].setting
    assert [t.valid for t in runs.trials] == [pytest.approx(1 / np.log2(round(20 * (1 - s)) + 2)) for s in skills.values()]
    assert next(e["valid"] for e in events if e["event"] == "run_finished") == {"ndcg": round(runs.trials[0].valid, 5)}


@pytest.mark.parametrize("wrong", [probabilities, lambda skill: lists(skill)[:20], lambda skill: lists(skill).clip(3)])
def test_lists_that_cannot_be_scored_are_no_score(tmp_path: Path, wrong: Callable[[float], np.ndarray]) -> None:
    runs, _ = run(tmp_path, lambda job: 0.5, Items(), wrong)
    assert np.isnan([t.valid for t in runs.trials]).all()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            '{"event": "epoch", "epoch": 2, "valid": {"auc": 0.75, "log_loss": 0.5}}',
            {"epoch": 2.0, "valid": {"auc": 0.75, "log_loss": 0.5}},
        ),
        ('{"event": "epoch", "epoch": 2, "valid": {"ndcg": 0.75, "<b>": 1}}', {"epoch": 2.0}),
        ('{"event": "epoch", "epoch": 2, "valid": [1, 2]}', {"epoch": 2.0}),
        ('{"event": "epoch", "epoch": 2, "valid": {"auc": "<b>"}}', None),
        ('{"event": "epoch", "epoch": 2, "valid": "auc"}', None),
        ('{"event": "epoch", "epoch": 2, "valid": 7}', None),
        ('{"event": "verdict", "valid": {"auc": 1.0}}', None),
        ("[1]", None),
        ("7", None),
        ('"epoch"', None),
        ("{", None),
    ],
)
def test_what_a_sandbox_says_of_an_epoch_is_passed_on_only_where_it_is_known(
    tmp_path: Path, line: str, told: dict[str, Any] | None
) -> None:
    sandbox, events = Told(lambda job: 0.5, probabilities, says=(line,)), list[dict[str, object]]()
    runner = JobRunner(sandbox, tmp_path / "jobs", Limits())  # type: ignore[arg-type]
    Experiment(plan(trials=1, seeds=(1,)), Data(), runner, parallel=1, emit=events.append).run([MODEL])  # type: ignore[arg-type]
    epochs = [{k: v for k, v in e.items() if k in ("epoch", "valid")} for e in events if e["event"] == "epoch"]
    assert epochs == ([told] if told is not None else [])
