"""A reproduction written by a language model, from the command line over HTTP to the verdict: read, written, repaired, judged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from chat_server import chat_server
from command import NOTE, ROOT, command, environment
from scripted_method import MODEL, READING, REVIEWED, WITHOUT
from small_clicks import clicks

from sandboxes import SandboxUnavailable, choose

WRONG = MODEL.replace("return self.output(", "return 0 * self.output(")  # smoke: no gradient
REPAIR = "<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n".format(*(code.splitlines()[-1] for code in (WRONG, MODEL)))


@pytest.mark.slow
def test_a_model_behind_http_writes_what_is_judged(tmp_path: Path) -> None:
    try:
        wall = choose("auto", composed=False).name
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    data, home = clicks(tmp_path / "clicks.csv"), tmp_path / "home"
    with chat_server() as server:
        fenced = [f"```python\n{code}```" for code in (WRONG, WITHOUT)]
        server.replies = [json.dumps(READING), fenced[0], REPAIR, json.dumps(REVIEWED), fenced[1]]
        spoken_to = environment(home) | {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k", "NO_PROXY": "127.0.0.1"}
        words = [
            "--data",
            str(data),
            "--baselines",
            "lr",
            "--seeds",
            "3",
            "--trials",
            "1",
            "--epochs",
            "2",
            "--model",
            "openai:m",
        ]
        done = subprocess.run(command("reproduce", NOTE, *words), capture_output=True, text=True, cwd=ROOT, env=spoken_to)
        asked = len(server.asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert asked == 5
    (run,) = (home / "runs").iterdir()
    assert (run / "model.py").read_text() == MODEL
    report = (run / "report.md").read_text()
    for said in (
        "openai:m",
        "no gradient reaches",
        "5,000 tokens in, 500 out",
        wall,
    ):  # who wrote it, what failed first, tokens, where it ran
        assert said in report, said
    assert json.loads((run / "results.json").read_text())["sandbox"] == wall
    assert json.loads((run / "summary.json").read_text())["verdict"] in ("better", "tie", "worse")
