"""Every way that a run can end, through the driver and the real sandbox, with an engine of the test's own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from plain_flow import GOOD, Plain, Site, stages

from memory.embeddings import WordEmbeddings
from memory.records import LessonRecord
from memory.store import MemoryStore
from sandboxes.launch import job_argv
from workflows.budget import Budget
from workflows.driver import Ended
from workflows.exit_codes import ExitCode
from workflows.settings import Settings

ILLEGAL = "import os\n" + GOOD
UNFIT = GOOD.replace("nn.Linear(32, 1)", "nn.Linear(32, 3)")  # three logits for one task: smoke says so
# Passes smoke, and fails on the first training batch.
FATAL = GOOD.replace("        return self", "        assert len(batch) != 128, 'no batch of 128'\n        return self")

Start = Callable[..., tuple[Ended, list[dict[str, object]]]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Site.at(tmp_path).run


def test_a_candidate_that_passes_is_trained_and_judged(start: Start) -> None:
    ended, events = start(Plain(GOOD))
    assert (ended.summary.status, ended.code, ended.summary.verdict) == ("done", ExitCode.DONE, "smoke")  # one seed: no verdict
    assert stages(events)[-3:] == ["ablate", "report", "remember"]
    for name in ("report.html", "report.md", "model.py", "comparison.json", "spec.json"):
        assert (ended.folder.root / name).stat().st_size > 0


def test_several_processes_train_a_model_where_a_site_says_so(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    monkeypatch.setattr("sandboxes.jobs.job_argv", lambda processes: (started.append(processes), job_argv(processes))[1])
    ended, _ = start(Plain(GOOD), processes=2)
    assert ended.summary.status == "done", ended.summary.reason
    assert started.count(2) == 2 and set(started) == {1, 2}  # the candidate and the baseline; checks need no more than one
    assert "Processes a run" in (ended.folder.root / "report.md").read_text()


@pytest.mark.parametrize(("processes", "parallel"), [(1, 6), (2, 3), (8, 1)])
def test_the_processors_are_shared_by_runs_side_by_side(processes: int, parallel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert Settings(processes=processes).parallel == parallel


def test_out_of_scope_ends_with_a_report_and_its_own_code(start: Start) -> None:
    ended, events = start(Plain(GOOD, scope="survey"))
    assert (ended.summary.status, ended.code) == ("out_of_scope", ExitCode.OUT_OF_SCOPE)
    assert stages(events) == ["read", "parse", "report", "remember"]
    assert "it surveys the work of others" in (ended.folder.root / "report.md").read_text()


@pytest.mark.parametrize(("bad", "stage"), [(ILLEGAL, "policy"), (UNFIT, "smoke"), (FATAL, "train")])
def test_what_fails_is_repaired_and_the_engine_learns_why(start: Start, bad: str, stage: str) -> None:
    engine = Plain(bad, GOOD)
    ended, _ = start(engine)
    assert ended.summary.status == "done", ended.summary.reason
    assert [f.stage for f in engine.failures] == [stage]
    said = {"policy": "os", "smoke": "gave shape", "train": "no batch of 128"}[stage]
    assert said in engine.failures[0].message
    assert said.split()[0] in (ended.folder.root / "report.md").read_text()  # the failed attempt is shown


def test_the_same_failure_twice_ends_the_run_and_becomes_a_lesson(start: Start, tmp_path: Path) -> None:
    ended, _ = start(Plain(UNFIT, UNFIT + "\n# again\n", GOOD))
    assert (ended.summary.status, ended.code) == ("no_candidate", ExitCode.NO_CANDIDATE)
    assert "the same smoke failure came twice" in ended.summary.reason
    lessons = MemoryStore(tmp_path / "home" / "memory", WordEmbeddings()).all("lesson")
    assert [r.polarity for r in lessons if isinstance(r, LessonRecord)] == ["negative"]


def test_an_engine_with_nothing_to_build_says_why(start: Start) -> None:
    ended, events = start(Plain())
    assert (ended.summary.status, ended.code) == ("no_candidate", ExitCode.NO_CANDIDATE)
    assert "nothing that is particular" in ended.summary.reason
    assert "train" not in stages(events)


def test_code_that_a_language_model_wrote_never_runs_as_a_plain_process(start: Start) -> None:
    ended, _ = start(Plain(GOOD, composed=False))
    assert (ended.summary.status, ended.code) == ("failed", ExitCode.SANDBOX)
    assert "no wall" in ended.summary.reason
    assert not (ended.folder.root / "results.json").exists()


def test_a_plan_waits_for_approval_and_can_be_declined(start: Start) -> None:
    ended, events = start(Plain(GOOD), approve=True)
    assert (ended.summary.status, ended.code) == ("waiting", ExitCode.WAITING)
    assert "train the paper's model and lr" in ended.summary.reason
    assert "write" not in stages(events)
    still, _ = start(Plain(GOOD), ended.folder)
    assert still.code == ExitCode.WAITING  # going on without an answer asks again
    declined, events = start(Plain(GOOD), ended.folder, approved=False)
    assert (declined.summary.status, declined.code) == ("declined", ExitCode.DONE)
    assert "train" not in stages(events)


def test_an_approved_plan_goes_on(start: Start) -> None:
    waiting, _ = start(Plain(GOOD), approve=True)
    ended, events = start(Plain(GOOD), waiting.folder, approved=True)
    assert ended.code == ExitCode.DONE
    assert stages(events)[0] == "approve"


def test_an_equal_request_meets_the_same_run(start: Start) -> None:
    first, _ = start(Plain(GOOD))
    again, events = start(Plain(GOOD), budget=Budget(minutes=30))
    assert again.folder.root == first.folder.root
    assert stages(events) == []


def test_a_run_whose_folder_was_deleted_begins_anew(start: Start) -> None:
    first, _ = start(Plain(GOOD, scope="survey"))
    shutil.rmtree(first.folder.root)
    time.sleep(1.1)  # runs tell themselves apart by the second they were made
    _, events = start(Plain(GOOD, scope="survey"))
    assert stages(events)[0] == "read"


def test_finished_trainings_are_shared_between_runs(start: Start) -> None:
    start(Plain(GOOD))
    _, events = start(Plain(GOOD.replace("32", "16")))  # another request would differ too; here only the code does
    assert stages(events) == []
    _, events = start(Plain(GOOD), seeds=2)
    reused = {(e["model"], e["what"]): e["reused"] for e in events if e["event"] == "run_finished"}
    assert reused["lr", "seed 1"] is True
    assert reused["lr", "seed 2"] is False
