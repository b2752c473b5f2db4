"""The way of training: what a user may fix, and what is made of a measurement or of its failure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.autotrain.way import find_way, fixed_by
from agents.errors import Stopped
from sandboxes.jobs import JobRunner
from sandboxes.kit.schema import CategoricalField, Schema
from sandboxes.kit.training.config import TrainConfig
from sandboxes.meter import Meter, Spell
from sandboxes.protocol import Limits, RunRequest, RunResult


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("auto", {}),
        ("", {}),
        ("touched", {"updates": "touched"}),
        ("whole, bf16 ,compiled", {"updates": "whole", "precision": "bf16", "compiled": True}),
        ("eager,fp32", {"compiled": False, "precision": "fp32"}),
    ],
)
def test_words_fix_a_way(text: str, fixed: dict[str, object]) -> None:
    assert fixed_by(text) == fixed


@pytest.mark.parametrize(("text", "said"), [("fp16", "there are auto, whole, touched"), ("fp32,bf16", "two precision at once")])
def test_other_words_are_refused_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fixed_by(text)


class Answering:
    """A sandbox whose job leaves the given calibration."""

    name = "answering"

    def __init__(self, left: object) -> None:
        self.left, self.asked = left, []  # type: ignore[var-annotated]

    def run(self, request: RunRequest, progress: object = None, cancelled: object = None) -> RunResult:
        self.asked.append(json.loads(request.files["job.json"]))
        request.outputs.mkdir()
        if self.left is None:
            return RunResult("timed_out", self.name, reason="the time limit of 5 s is over")
        (request.outputs / "calibration.json").write_text(json.dumps(self.left))
        return RunResult("ok", self.name, 0, 1.0)


WHOLE = {"updates": "whole", "precision": "fp32", "compiled": False, "step_s": 0.2, "set_up_s": 0.0, "fault": ""}
TOUCHED = {**WHOLE, "updates": "touched", "step_s": 0.1}
FIXED = {"precision": "fp32"}
CHOSEN = {"updates": "touched", "precision": "fp32", "compiled": False}


def found(left: object, tmp_path: Path, prepared, fixed=FIXED):  # type: ignore[no-untyped-def]
    sandbox = Answering(left)
    runner = JobRunner(sandbox, tmp_path / "jobs", Limits())  # type: ignore[arg-type]
    return find_way(prepared, runner, TrainConfig(batch_size=512), 8, fixed), sandbox


@pytest.fixture
def prepared():  # type: ignore[no-untyped-def]
    class Data:
        visible, data_hash, schema = Path("visible"), "d", Schema((CategoricalField("item", 9),), target_item="item")

    return Data()


def test_a_measurement_becomes_a_way_in_words(tmp_path: Path, prepared) -> None:  # type: ignore[no-untyped-def]
    way, sandbox = found({"chosen": CHOSEN, "measured": [WHOLE, TOUCHED], "steps": 9}, tmp_path, prepared)
    assert (way.updates, way.precision, way.compiled, way.samples_per_s) == ("touched", "fp32", False, 5120.0)
    assert way.said == "touched rows, fp32, eager at 100 ms a step of dnn; whole tables, fp32, eager took 200 ms"
    assert sandbox.asked[0]["fixed"] == {"precision": "fp32"} and sandbox.asked[0]["action"] == "calibrate"


def test_where_rows_are_decisions_a_policy_is_measured(tmp_path: Path, prepared) -> None:  # type: ignore[no-untyped-def]
    prepared.schema = replace(prepared.schema, predicts="actions")
    way, sandbox = found({"chosen": CHOSEN, "measured": [WHOLE, TOUCHED], "steps": 9}, tmp_path, prepared)
    assert "100 ms a step of inverse_propensity" in way.said
    assert sandbox.asked[0]["model"] == {"reference": "inverse_propensity"}


@pytest.mark.parametrize(
    "left",
    [
        None,
        {"chosen": {**CHOSEN, "updates": "none"}, "measured": [TOUCHED], "steps": 9},
        {"chosen": CHOSEN, "measured": [WHOLE], "steps": 9},
        {"chosen": CHOSEN, "measured": [{**TOUCHED, "step_s": None, "fault": "no"}], "steps": 9},
    ],
)
def test_what_cannot_be_measured_or_believed_leaves_the_plain_way(left: object, tmp_path: Path, prepared) -> None:  # type: ignore[no-untyped-def]
    way, _ = found(left, tmp_path, prepared)
    assert (way.updates, way.precision, way.compiled) == ("whole", "fp32", False)
    assert "could not be measured" in way.said


def test_what_is_fixed_holds_though_nothing_could_be_measured(tmp_path: Path, prepared) -> None:  # type: ignore[no-untyped-def]
    way, _ = found(None, tmp_path, prepared, {"precision": "bf16", "updates": "touched"})
    assert (way.updates, way.precision, way.compiled) == ("touched", "bf16", False)


def test_a_measurement_that_is_ended_is_no_reason_for_the_plain_way(tmp_path: Path, prepared) -> None:  # type: ignore[no-untyped-def]
    meter = Meter(limit_s=1.0)
    meter.spells.append(Spell(job="another", action="train", seconds=2.0, status="ok"))
    runner = JobRunner(Answering(None), tmp_path / "jobs", Limits(), meter)  # type: ignore[arg-type]
    with pytest.raises(Stopped):
        find_way(prepared, runner, TrainConfig(), 8, FIXED)
