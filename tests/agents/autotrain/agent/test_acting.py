"""What acting measures, over a sandbox that answers as told: the same seeds for both, valid alone, failures as outcomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autotrain_worlds import SCHEMA, TWO_TASKS, Data, Told, laboratory

from agents.autotrain.agent.laboratory import Laboratory
from agents.autotrain.agent.recipe import Recipe, recipe_of
from agents.autotrain.plan import PlanImpossible
from agents.contract import Outcome
from agents.errors import Stopped
from sandboxes.kit.training.config import TrainConfig

OLD = recipe_of({"model": "dnn", "learning_rate": 0.002}, SCHEMA, TrainConfig())
NEW = recipe_of({"model": "fm", "learning_rate": 0.01}, SCHEMA, TrainConfig())


def skilled(old: float | str, new: float | str) -> Told:
    return Told(lambda job, code: old if job["config"]["learning_rate"] == 0.002 else new)


def compared(folder: Path, told: Told, incumbent: Recipe = OLD, candidate: Recipe = NEW, **more: Any) -> Outcome:
    return laboratory(folder, told=told, **more).compare(incumbent, candidate)


def test_both_are_trained_on_the_same_seeds_and_predict_valid_alone(tmp_path: Path) -> None:
    told = skilled(0.3, 0.6)
    compared(tmp_path, told, seeds=(4, 7, 9))
    by_model = {rate: [j["config"]["seed"] for j in told.jobs if j["config"]["learning_rate"] == rate] for rate in (0.002, 0.01)}
    assert {rate: sorted(seeds) for rate, seeds in by_model.items()} == {0.002: [4, 7, 9], 0.01: [4, 7, 9]}
    assert all(job["predict"] == ["valid"] for job in told.jobs)


def test_a_gain_has_an_interval_that_holds_it(tmp_path: Path) -> None:
    outcome = compared(tmp_path, skilled(0.3, 0.6))
    gain = outcome.measures["gain"]
    assert outcome.status == "done" and 0 < gain.low < gain.value < gain.high
    assert gain.value == pytest.approx(outcome.measures["quality"].value - outcome.measures["incumbent_quality"].value)
    assert all(m.low <= m.value <= m.high for m in outcome.measures.values())
    loss = compared(tmp_path / "other", skilled(0.6, 0.3)).measures["gain"]
    assert loss.value == pytest.approx(-gain.value) and loss.high < 0


def test_up_is_better_in_every_measure(tmp_path: Path) -> None:
    outcome = compared(tmp_path, skilled(0.3, 0.6))
    assert outcome.measures["gain in log loss of label"].low > 0  # a log loss that fell


def test_equal_models_gain_nothing(tmp_path: Path) -> None:
    gain = compared(tmp_path, skilled(0.5, 0.5)).measures["gain"]
    assert gain.value == 0 and gain.low <= 0 <= gain.high


def test_every_task_is_measured(tmp_path: Path) -> None:
    data = Data(TWO_TASKS)
    recipes = [recipe_of({"model": "dnn", "learning_rate": rate}, TWO_TASKS, TrainConfig()) for rate in (0.002, 0.01)]
    told = replace(skilled(0.3, 0.6), tasks=2)
    outcome = compared(tmp_path, told, *recipes, data=data)
    assert {"gain", "gain in log loss of click", "gain in AUC of buy", "gain in log loss of buy"} <= outcome.measures.keys()


def test_what_stands_is_trained_once(tmp_path: Path) -> None:
    told = skilled(0.3, 0.6)
    compared(tmp_path, told)
    again = compared(tmp_path, told, candidate=replace(NEW, config=TrainConfig(learning_rate=0.005)))
    assert again.status == "done" and len(told.jobs) == 9


def test_the_cost_is_what_the_host_saw(tmp_path: Path) -> None:
    outcome = compared(tmp_path, skilled(0.3, 0.6))
    assert outcome.cost == {"seconds": 5.0, "incumbent_seconds": 5.0, "parameters": 3.0, "incumbent_parameters": 3.0}
    assert len(outcome.evidence) == 6


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("failed", "failed"),
        ("timed_out", "timed out"),
        ("out_of_memory", "out of memory"),
        (float("nan"), "finite"),
        (0.0, "collapsed"),  # as good as chance
    ],
)
def test_a_failure_is_an_outcome(tmp_path: Path, end: float | str, said: str) -> None:
    outcome = compared(tmp_path, skilled(0.3, end))
    assert outcome.status == "failed" and not outcome.measures and said in outcome.reason


@pytest.mark.parametrize("status", ["refused", "unavailable"])
def test_a_sandbox_that_will_not_refuses(tmp_path: Path, status: str) -> None:
    assert compared(tmp_path, skilled(0.3, status)).status == "refused"


def test_of_an_incumbent_that_fails_the_decision_is_innocent(tmp_path: Path) -> None:
    outcome = compared(tmp_path, skilled("failed", 0.6))
    assert outcome.status == "refused" and "what stands cannot be trained" in outcome.reason


def test_constant_predictions_are_a_failure(tmp_path: Path) -> None:
    class Constant(Told):
        def run(self, request: Any, progress: object = None, cancelled: object = None) -> Any:
            result = super().run(request, progress, cancelled)
            if self.jobs[-1]["config"]["learning_rate"] == 0.01:
                np.save(request.outputs / "valid.npy", np.full((200, 1), 0.5, np.float32))
            return result

    outcome = compared(tmp_path, Constant())
    assert outcome.status == "failed" and "collapsed" in outcome.reason


def test_a_stop_is_no_outcome(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        compared(tmp_path, skilled(0.3, "cancelled"))
    told = skilled(0.3, 0.6)
    with pytest.raises(Stopped):
        replace_stop(laboratory(tmp_path / "x", told=told)).compare(OLD, NEW)
    assert told.jobs == []


def replace_stop(made: Laboratory) -> Laboratory:
    return Laboratory(made.prepared, made.runner, made.seeds, stop=lambda: True)


@pytest.mark.parametrize("composed", [True, False])
def test_code_that_was_not_composed_runs_where_such_code_may(tmp_path: Path, composed: bool) -> None:
    made, asked = laboratory(tmp_path), list[bool]()

    def runner(kind: bool) -> Any:
        asked.append(kind)
        return made.runner(kind)

    values = {"code": "class Model: ...", "composed": composed, "learning_rate": 0.01}
    watched, candidate = Laboratory(made.prepared, runner, made.seeds), recipe_of(values, SCHEMA, TrainConfig())
    watched.smoke(candidate)
    assert asked == [composed]
    watched.compare(OLD, candidate)
    assert sorted(asked[1:]) == sorted([True] * 3 + [composed] * 3)


def test_smoke_tests_that_fail_name_the_check(tmp_path: Path) -> None:
    told = Told(smoke=({"name": "shape", "passed": False, "detail": "logits are (B,)"},))
    failed = laboratory(tmp_path, told=told).smoke(NEW)
    assert failed is not None and failed.status == "failed" and "shape: logits are (B,)" in failed.reason
    assert laboratory(tmp_path / "x").smoke(NEW) is None


@pytest.mark.parametrize("status", ["failed", "timed_out", "refused"])
def test_smoke_tests_that_do_not_end_are_an_outcome(tmp_path: Path, status: str) -> None:
    failed = laboratory(tmp_path, told=Told(lambda job, code: status)).smoke(NEW)
    assert failed is not None and failed.status == ("refused" if status == "refused" else "failed")


@pytest.mark.parametrize("seeds", [(), (1,), (1, 1)])
def test_one_seed_is_too_few(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    with pytest.raises(PlanImpossible, match="at least 2 seeds"):
        laboratory(tmp_path, seeds=seeds)


def test_a_valid_split_without_positives_is_too_small(tmp_path: Path) -> None:
    class Rare(Data):
        def hidden_labels(self, split: str) -> np.ndarray:
            return np.zeros((200, 1), np.float32)

    with pytest.raises(PlanImpossible, match="valid rows of the rarer class"):
        laboratory(tmp_path, Rare())
