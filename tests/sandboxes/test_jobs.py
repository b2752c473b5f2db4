"""The job runner: equal jobs run once, unusable outputs are no result, and what failed is kept apart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandboxes import Limits, RunRequest, RunResult
from sandboxes.equations import EquationProbe
from sandboxes.jobs import Job, JobRunner, ModelSource
from sandboxes.kit.equation import Input, Probe
from sandboxes.kit.training import TrainConfig
from sandboxes.meter import Meter

EPOCH = {"epoch": 0, "stage": "final", "train_loss": 0.5, "valid": {"auc": 0.7, "log_loss": 0.4}, "seconds": 1.0}
RESULT = {"device": "cpu", "parameters": 7, "epochs": [EPOCH], "best_epoch": 0, "samples_per_s": 9.0, "seconds": 1.0}
SMOKE = {"checks": [{"name": "builds", "passed": True, "detail": ""}], "parameters": 7}


def array(values: object) -> Callable[[Path], None]:
    return lambda path: np.save(path, np.asarray(values))


def text(content: object) -> Callable[[Path], None]:
    return lambda path: path.write_text(content if isinstance(content, str) else json.dumps(content)) and None


GOOD: Mapping[str, Callable[[Path], None]] = {"result.json": text(RESULT), "valid.npy": array([[0.25]])}


@dataclass
class FakeSandbox:
    """Leaves `leaves` and says `status`, without running anything."""

    leaves: Mapping[str, Callable[[Path], None]] = field(default_factory=lambda: dict(GOOD))
    status: Any = "ok"
    reason: str = ""
    name: str = "fake"
    requests: list[RunRequest] = field(default_factory=list)

    def run(self, request: RunRequest, progress: object = None, cancelled: object = None) -> RunResult:
        self.requests.append(request)
        request.outputs.mkdir(parents=True)
        for name, write in self.leaves.items():
            write(request.outputs / name)
        return RunResult(self.status, self.name, 0 if self.status == "ok" else 1, 1.5, reason=self.reason)

    def available(self) -> str | None:
        return None

    def sweep(self) -> int:
        return 0


JOB = Job("train", ModelSource("deepfm", code="class Model: ..."), Path("visible"), "data-hash", {"embedding_dim": 8})


PROBES = tuple(
    EquationProbe(name, Probe("Gate", {}, (Input("x", (2, 3)),)), "def reference(x):\n    return x\n") for name in ("m1", "m2")
)
CHECK = Job("equation", JOB.model, probes=PROBES)
ROW = {"id": "m1", "verdict": "agrees", "largest_difference": 1e-16, "detail": "12 comparisons"}
ROWS = [ROW, {**ROW, "id": "m2", "verdict": "undecided"}]


def runner(sandbox: FakeSandbox, root: Path) -> JobRunner:
    return JobRunner(sandbox, root / "jobs", Limits(timeout_s=3.0))


def test_an_equal_job_runs_once(tmp_path: Path) -> None:
    sandbox = FakeSandbox()
    first = runner(sandbox, tmp_path).run(JOB)
    again = runner(sandbox, tmp_path).run(replace(JOB, data=Path("elsewhere"), hyper={"embedding_dim": 8}))
    assert (first.reused, again.reused, len(sandbox.requests)) == (False, True, 1)
    assert again.folder == first.folder
    assert (again.run.status, again.run.sandbox, again.run.duration_s) == ("ok", "fake", 1.5)
    assert again.train_report() == first.train_report()
    assert again.predictions("valid").tolist() == [[0.25]]


@pytest.mark.parametrize(
    "other",
    [
        replace(JOB, action="smoke"),
        replace(JOB, model=ModelSource("deepfm", code="class Model: pass")),
        replace(JOB, model=ModelSource("deepfm", reference="deepfm")),
        replace(JOB, data_hash="another"),
        replace(JOB, hyper={"embedding_dim": 16}),
        replace(JOB, config=replace(TrainConfig(), seed=1)),
        replace(JOB, predict=("valid", "test")),
        replace(JOB, keep_weights=True),
        CHECK,
    ],
)
def test_a_job_that_differs_has_another_key(other: Job) -> None:
    assert other.key != JOB.key


@pytest.mark.parametrize(
    "other",
    [
        replace(CHECK, probes=PROBES[:1]),
        replace(CHECK, probes=(PROBES[0], replace(PROBES[1], id="m3"))),
        replace(CHECK, probes=(PROBES[0], replace(PROBES[1], reference="def reference(x):\n    return 2 * x\n"))),
        replace(CHECK, probes=(PROBES[0], replace(PROBES[1], probe=replace(PROBES[1].probe, output=0)))),
        replace(CHECK, model=ModelSource("deepfm", code="class Gate: ...")),
    ],
)
def test_another_question_has_another_key(other: Job) -> None:
    assert other.key != CHECK.key and replace(CHECK).key == CHECK.key


def test_the_name_and_the_order_of_settings_do_not_matter() -> None:
    one = replace(JOB, hyper={"embedding_dim": 8, "dropout": 0.1})
    assert one.key == replace(one, hyper={"dropout": 0.1, "embedding_dim": 8}, model=replace(one.model, name="x")).key


def test_the_request_holds_the_code_and_the_settings(tmp_path: Path) -> None:
    sandbox = FakeSandbox()
    runner(sandbox, tmp_path).run(replace(JOB, model=replace(JOB.model, composed=False)))
    (request,) = sandbox.requests
    assert request.files["model.py"] == "class Model: ..."
    assert json.loads(request.files["job.json"])["hyper"] == {"embedding_dim": 8}
    assert (request.composed, request.data, request.limits.timeout_s) == (False, Path("visible"), 3.0)


def test_what_failed_is_kept_apart_and_runs_again(tmp_path: Path) -> None:
    sandbox = FakeSandbox({"error.json": text({"traceback": "ValueError: B"})}, "failed", "exit code 1")
    jobs = runner(sandbox, tmp_path)
    failed = jobs.run(JOB)
    assert (failed.run.status, failed.fault, failed.folder.parent.name) == ("failed", "ValueError: B", "failed")
    sandbox.leaves, sandbox.status = dict(GOOD), "ok"
    assert jobs.run(JOB).run.ok
    assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    "status", ["timed_out", "out_of_memory", "over_limit", "cancelled", "unavailable", "refused", "bad_output"]
)
def test_no_other_ending_is_kept_as_a_result(tmp_path: Path, status: str) -> None:
    sandbox = FakeSandbox({}, status, "a reason")
    jobs = runner(sandbox, tmp_path)
    assert (jobs.run(JOB).fault, jobs.run(JOB).reused, len(sandbox.requests)) == ("a reason", False, 2)


BAD = {
    "no result": {"valid.npy": array([[0.5]])},
    "no predictions": {"result.json": text(RESULT)},
    "a result of another shape": {**GOOD, "result.json": text([1, 2])},
    "a missing field": {**GOOD, "result.json": text({k: v for k, v in RESULT.items() if k != "device"})},
    "a field too many": {**GOOD, "result.json": text({**RESULT, "verdict": "better"})},
    "words for numbers": {**GOOD, "result.json": text({**RESULT, "parameters": "many"})},
    "no json": {**GOOD, "result.json": text("{")},
    "no array": {**GOOD, "valid.npy": text("0.5")},
    "objects": {**GOOD, "valid.npy": lambda path: np.save(path, np.array([None]), allow_pickle=True)},
}


@pytest.mark.parametrize("leaves", BAD.values(), ids=BAD.keys())
def test_unusable_outputs_are_bad_output(tmp_path: Path, leaves: Mapping[str, Callable[[Path], None]]) -> None:
    finished = runner(FakeSandbox(leaves), tmp_path).run(JOB)
    assert (finished.run.status, finished.fault.startswith("the run left unusable outputs")) == ("bad_output", True)
    assert not (tmp_path / "jobs" / JOB.key).exists()


def test_a_run_cannot_mark_itself_as_finished(tmp_path: Path) -> None:
    leaves = {**GOOD, "run.json": text({"sandbox": "another", "duration_s": 0.0})}
    jobs = runner(FakeSandbox(leaves), tmp_path)
    jobs.run(JOB)
    assert jobs.run(JOB).run.sandbox == "fake"
    failing = runner(FakeSandbox(leaves, "failed", "exit code 1"), tmp_path)
    other = replace(JOB, data_hash="other")
    assert not failing.run(other).run.ok
    assert not failing.run(other).reused


def test_a_job_that_a_killed_process_left_half_done_is_run_anew(tmp_path: Path) -> None:
    half = tmp_path / "jobs" / JOB.key
    half.mkdir(parents=True)
    (half / "result.json").write_text("{")
    finished = runner(FakeSandbox(), tmp_path).run(JOB)
    assert (finished.run.status, finished.reused) == ("ok", False)
    assert finished.train_report().parameters == 7


def test_a_smoke_report_passes_only_when_every_check_does(tmp_path: Path) -> None:
    good = runner(FakeSandbox({"smoke.json": text(SMOKE)}), tmp_path / "a").run(replace(JOB, action="smoke"))
    checks = [*SMOKE["checks"], {"name": "forward", "passed": False, "detail": "shape"}]  # type: ignore[misc]
    bad = runner(FakeSandbox({"smoke.json": text({**SMOKE, "checks": checks})}), tmp_path / "b").run(replace(JOB, action="smoke"))
    assert (good.smoke_report().passed, bad.smoke_report().passed, bad.run.status) == (True, False, "ok")


def test_a_check_of_equations_asks_with_texts_and_without_data(tmp_path: Path) -> None:
    sandbox = FakeSandbox({"equations.json": text(ROWS)})
    finished = runner(sandbox, tmp_path).run(CHECK)
    (request,) = sandbox.requests
    assert [(row.id, row.verdict) for row in finished.equation_report()] == [("m1", "agrees"), ("m2", "undecided")]
    asked = json.loads(request.files["job.json"])["probes"]
    assert [Probe.from_data(one["probe"]) for one in asked] == [one.probe for one in PROBES]
    assert [request.files[one["reference"]] for one in asked] == [one.reference for one in PROBES]
    assert request.data is None
    assert not request.composed, "nobody composed the references, whoever composed the model"


BAD_ROWS = {
    "no rows": {},
    "no json": {"equations.json": text("[")},
    "an object": {"equations.json": text({"rows": ROWS})},
    "a row too few": {"equations.json": text(ROWS[:1])},
    "a row too many": {"equations.json": text([*ROWS, {**ROW, "id": "m3"}])},
    "rows of others": {"equations.json": text([ROWS[1], ROWS[0]])},
    "an infinite difference": {"equations.json": text(json.dumps(ROWS).replace("1e-16", "Infinity"))},
    "no number": {"equations.json": text(json.dumps(ROWS).replace("1e-16", "NaN"))},
    "a negative difference": {"equations.json": text(json.dumps(ROWS).replace("1e-16", "-1"))},
    "another verdict": {"equations.json": text(json.dumps(ROWS).replace("agrees", "perfect"))},
    "a field too many": {"equations.json": text([{**row, "score": 1} for row in ROWS])},
    "endless words": {"equations.json": text([ROW, {**ROWS[1], "detail": "x" * 2001}])},
}


@pytest.mark.parametrize("leaves", BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_rows_that_are_no_answer_are_bad_output(tmp_path: Path, leaves: Mapping[str, Callable[[Path], None]]) -> None:
    finished = runner(FakeSandbox(leaves), tmp_path).run(CHECK)
    assert (finished.run.status, finished.fault.startswith("the run left unusable outputs")) == ("bad_output", True)


@pytest.mark.parametrize("probes", [(), (PROBES[0], PROBES[0]), PROBES * 40])
def test_questions_without_names_of_their_own_are_refused(probes: tuple[EquationProbe, ...]) -> None:
    with pytest.raises(ValueError, match="between 1 and 64"):
        replace(CHECK, probes=probes).request(Path("outputs"), Limits())


def test_equal_jobs_in_several_threads_agree(tmp_path: Path) -> None:
    sandbox, ended = FakeSandbox(), []
    jobs = runner(sandbox, tmp_path)
    threads = [threading.Thread(target=lambda: ended.append(jobs.run(JOB))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {finished.run.status for finished in ended} == {"ok"}
    assert {finished.folder for finished in ended} == {tmp_path / "jobs" / JOB.key}
    assert [p.name for p in (tmp_path / "jobs").iterdir()] == [JOB.key]


@dataclass
class SlowSandbox(FakeSandbox):
    """Takes five seconds of its own clock, or ends at the second in which it is cancelled."""

    now: float = 0.0

    def run(self, request: RunRequest, progress: object = None, cancelled: object = None) -> RunResult:
        assert callable(cancelled)
        for _ in range(5):
            self.now += 1.0
            if cancelled():
                self.status = "cancelled"
                break
        return super().run(request)


def test_once_the_seconds_are_spent_only_kept_jobs_are_given(tmp_path: Path) -> None:
    sandbox = SlowSandbox()
    meter = Meter(tmp_path / "sandbox.jsonl", limit_s=8.0, clock=lambda: sandbox.now)
    metered = JobRunner(sandbox, tmp_path / "jobs", Limits(), meter)
    other, third = replace(JOB, data_hash="another"), replace(JOB, data_hash="a third")
    assert metered.run(JOB).run.status == "ok"
    assert metered.run(other).run.status == "cancelled"  # in its midst
    assert metered.run(third).run.status == "cancelled"
    assert metered.run(JOB).reused
    assert len(sandbox.requests) == 2  # the third never began
    assert [(s.job, s.seconds, s.status) for s in meter.spells] == [(JOB.key, 5.0, "ok"), (other.key, 4.0, "cancelled")]


def test_who_calls_may_end_a_job_before_its_seconds_are_spent(tmp_path: Path) -> None:
    sandbox = SlowSandbox()
    meter = Meter(clock=lambda: sandbox.now)
    ended = JobRunner(sandbox, tmp_path / "jobs", Limits(), meter).run(JOB, cancelled=lambda: sandbox.now >= 2)
    assert (ended.run.status, meter.seconds, meter.spent) == ("cancelled", 2.0, False)
