"""The command line: quick to start, exit codes that scripts can use, one sentence for what a user can cause."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, agenticrs, command, environment

from workflows.exit_codes import ExitCode


def test_help_loads_nothing_heavy() -> None:
    heavy = ("torch", "mlflow", "langgraph", "chromadb", "polars")
    code = f"import sys, workflows.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["reproduce", "no/such/paper.pdf"], ExitCode.UNREADABLE, "no/such/paper.pdf"),
        (["resume", "nobody"], ExitCode.USAGE, "no run begins with 'nobody'"),
        (["show", "nobody"], ExitCode.USAGE, "no run begins with 'nobody'"),
        (["reproduce", "README.md", "--seeds", "0"], ExitCode.USAGE, "seeds"),
        (["reproduce", "workflows/examples/deepfm.md", "--data", "no-such-data"], ExitCode.UNREADABLE, "no-such-data"),
        (["reproduce", "workflows/examples/deepfm.md", "--baselines", "bert"], ExitCode.USAGE, "no baseline named bert"),
        (["reproduce", "workflows/examples/deepfm.md", "--model", "nobody:nothing"], ExitCode.MODEL, "nobody:nothing"),
        (["reproduce", "workflows/examples/deepfm.md", "--way", "fp16"], ExitCode.USAGE, "there are auto, whole"),
        (["data", "prepare", "no-such-data"], ExitCode.UNREADABLE, "no-such-data"),
    ],
    ids=lambda v: "-".join(v)[:40] if isinstance(v, list) else "",
)
def test_what_a_user_can_cause_is_a_sentence_and_a_code(tmp_path: Path, words: list[str], code: ExitCode, said: str) -> None:
    done = agenticrs(tmp_path, *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    wrong = environment(tmp_path) | {"AGENTICRS_PARALLEL": "many"}
    done = subprocess.run(command("runs"), capture_output=True, text=True, cwd=ROOT, env=wrong)
    assert done.returncode == ExitCode.USAGE
    assert "the setting parallel is wrong" in done.stderr


def test_no_runs_yet(tmp_path: Path) -> None:
    assert "No runs yet" in agenticrs(tmp_path, "runs").stdout


def test_the_doctor_names_every_part_and_a_remedy_for_what_is_missing(tmp_path: Path) -> None:
    done = agenticrs(tmp_path, "doctor", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = {f["name"]: f for f in json.loads(done.stdout)}
    for name in (
        "Python",
        "torch",
        "disk",
        "sandbox docker",
        "sandbox bubblewrap",
        "sandbox process",
        "GPU",
        "Redis",
        "language model",
    ):
        assert name in found
    assert all(f["remedy"] or f["detail"] for f in found.values() if f["state"] != "ok")


def test_the_data_sets_are_listed(tmp_path: Path) -> None:
    rows = json.loads(agenticrs(tmp_path, "data", "list", "--json").stdout)
    names = {row["name"] for row in rows}
    assert {"census-income", "synthetic-clicks", "movielens-1m"} <= names
