"""A run that is killed at every single step comes to the same verdict as one that nobody disturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from command import NOTE, ROOT, agenticrs, command, environment
from small_clicks import clicks

STEPS = (
    *("read", "parse", "recall", "plan", "approve", "choose", "write", "check", "smoke", "sample", "review"),
    *("train", "score", "compare", "ablate", "report", "remember"),
)


def options(data: Path) -> list[str]:
    return ["--data", str(data), "--baselines", "lr", "--seeds", "3", "--trials", "1", "--epochs", "2", "--json"]


def killed_at(step: str, home: Path, words: list[str]) -> bool:
    """Runs the command and kills it, with SIGKILL, as the step begins; False when it ended without reaching the step."""
    process = subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment(home)
    )
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line) if line.startswith("{") else {}
        begun = "run_started" if step == "train" else "stage_started"  # while training runs, not before
        if event.get("event") == begun and (step == "train" or event.get("stage") == step):
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
@pytest.mark.timeout(900)
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
