"""A run that is killed at every single step comes to the same verdict as one that nobody disturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from chat_server import ChatServer, chat_server
from command import NOTE, ROOT, agenticrs, command, environment
from scripted_method import answer_to
from small_clicks import clicks

STEPS = (
    *("read", "parse", "recall", "plan", "approve", "choose", "write", "check", "smoke", "sample", "review"),
    *("look_up", "train", "score", "compare", "ablate", "report", "remember"),
)


def options(data: Path) -> list[str]:
    """A fixed way of training: a measured one may come out otherwise while the machine is busy, and scores differ a little."""
    small = ["--baselines", "lr", "--seeds", "3", "--trials", "1", "--epochs", "2", "--way", "whole,fp32,eager"]
    return ["--data", str(data), *small, "--json"]


def killed_at(step: str, home: Path, words: list[str]) -> bool:
    """Runs the command and kills it, with SIGKILL, as the step begins; False when it ended without reaching the step."""
    begun = {"event": "run_started"} if step == "train" else {"event": "stage_started", "stage": step}
    return killed_after(begun, words, environment(home))  # while training runs, not before


def killed_after(said: dict[str, str], words: list[str], environment: dict[str, str]) -> bool:
    """Runs the command and kills it, with SIGKILL, when it has said so; False when it ended without."""
    process = subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line) if line.startswith("{") else {}
        if said.items() <= event.items():
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
    process.wait()
    return False


def outcome(home: Path) -> dict[str, object]:
    (run,) = (home / "runs").iterdir()
    comparison = json.loads((run / "comparison.json").read_text())
    return {
        "comparison": comparison,
        "code": (run / "model.py").read_text(),
        "review": json.loads((run / "review.json").read_text()),
        "status": json.loads((run / "summary.json").read_text())["status"],
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_every_step_the_run_comes_to_the_same_verdict(tmp_path: Path) -> None:
    data = clicks(tmp_path / "clicks.csv")
    quiet, shaken = tmp_path / "quiet", tmp_path / "shaken"
    done = agenticrs(quiet, "reproduce", NOTE, *options(data))
    assert done.returncode == 0, done.stdout + done.stderr
    words = ["reproduce", str(NOTE), *options(data)]
    for step in STEPS:
        assert killed_at(step, shaken, words), f"the run ended before {step}"
        (run,) = (shaken / "runs").iterdir()
        words = ["resume", run.name, "--json"]
    done = agenticrs(shaken, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcome(shaken) == outcome(quiet)
    assert json.loads((run / "summary.json").read_text())["verdict"] in ("better", "tie", "worse")
    records = agenticrs(shaken, "runs", "--json").stdout.strip().splitlines()
    assert len(records) == 1


# While a first question is on its way; when its step has ended; between two jobs of a step; between two questions of a step.
MOMENTS: tuple[dict[str, str], ...] = (
    {"event": "stage_started", "stage": "parse"},
    {"event": "stage_finished", "stage": "parse"},
    {"event": "stage_started", "stage": "write"},
    {"event": "stage_finished", "stage": "write"},
    {"event": "run_finished", "model": "candidate", "what": "seed 1"},
    {"event": "run_finished", "model": "lr", "what": "seed 2"},
    {"event": "run_started", "model": "without m1"},
    {"event": "stage_started", "stage": "report"},
)


def spoken_to(server: ChatServer, home: Path) -> dict[str, str]:
    said = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k", "NO_PROXY": "127.0.0.1", "AGENTICRS_PARALLEL": "1"}
    return environment(home) | said


def paid(home: Path) -> tuple[list[str], list[str]]:
    """The steps of the paid questions, and the keys of the jobs that ended well, each in its order."""
    (run,) = (home / "runs").iterdir()
    calls, spells = (run / "calls.jsonl").read_text().splitlines(), (run / "sandbox.jsonl").read_text().splitlines()
    jobs = [spell["job"] for spell in map(json.loads, spells) if spell["status"] == "ok"]
    return [json.loads(call)["step"] for call in calls], jobs


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_many_moments_a_run_pays_for_nothing_finished_twice(tmp_path: Path) -> None:
    data = clicks(tmp_path / "clicks.csv")
    quiet, shaken = tmp_path / "quiet", tmp_path / "shaken"
    asked = [*options(data), "--model", "openai:m", "--sandbox", "process", "--allow-unsafe-sandbox"]
    with chat_server() as undisturbed:
        undisturbed.answer = answer_to
        done = subprocess.run(
            command("reproduce", NOTE, *asked), capture_output=True, text=True, cwd=ROOT, env=spoken_to(undisturbed, quiet)
        )
        assert done.returncode == 0, done.stdout + done.stderr
    words = ["reproduce", str(NOTE), *asked]
    with chat_server() as server:
        server.answer = lambda question: (time.sleep(1.0), answer_to(question))[1]  # a killed run leaves its question on the way
        for moment in MOMENTS:
            assert killed_after(moment, words, spoken_to(server, shaken)), f"the run ended before {moment}"
            (run,) = (shaken / "runs").iterdir()
            words = ["resume", run.name, "--json"]
        done = subprocess.run(command(*words), capture_output=True, text=True, cwd=ROOT, env=spoken_to(server, shaken))
        assert done.returncode == 0, done.stdout + done.stderr
    calls, jobs = paid(shaken)
    assert (calls, jobs) == paid(quiet) and len(set(jobs)) == len(jobs)
    assert outcome(shaken) == outcome(quiet)
    questions, once = ([json.dumps(q["messages"]) for q in s.asked] for s in (server, undisturbed))
    assert set(questions) == set(once) and len(once) == len(set(once))
    on_their_way = sum(moment["event"] == "stage_started" and moment["stage"] in ("parse", "write") for moment in MOMENTS)
    assert len(questions) <= len(once) + on_their_way  # only what was on its way when a run was killed is asked again
