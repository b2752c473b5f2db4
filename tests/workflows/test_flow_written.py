"""Runs whose code a language model writes, with scripted replies in a model's place: every kind of bad code is met and mended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from command import NOTE
from langchain_core.messages import BaseMessage
from mlflow import MlflowClient
from scripted_chat import Scripted
from scripted_method import MODEL, READING, REVIEWED, WITHOUT, asked_for
from small_clicks import clicks

from sandboxes import SandboxUnavailable, choose
from workflows.driver import Ended, begin, go
from workflows.exit_codes import ExitCode
from workflows.request import ReproductionRequest
from workflows.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Run = Callable[..., tuple[Ended, Scripted, list[dict[str, object]]]]

IMPORTS = "from torch import Tensor, nn\n"
RESULT = "        return self.output(self.dnn(fields.flatten(1))) + self.fm(fields)\n"
OUTPUT = "        self.output = nn.Linear(8, len(schema.tasks))\n"
BANNED = MODEL.replace(IMPORTS, "import os\n" + IMPORTS)
SHAPE = MODEL.replace("nn.Linear(8, len(schema.tasks))", "nn.Linear(8, 3)")
CONSTANT = MODEL.replace(RESULT, RESULT.replace("return ", "return 0 * (").replace("(fields)\n", "(fields))\n"))
UNUSED = MODEL.replace(OUTPUT, OUTPUT + "        self.spare = nn.Linear(2, 2)\n")
ENDLESS = MODEL.replace(RESULT, "        while True:\n            pass\n" + RESULT)


def patch(old: str, new: str) -> str:
    """Between two files: the lines that differ, with a neighbour where nothing stands to be replaced."""
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    start = next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    end = next(i for i, (x, y) in enumerate(zip(reversed(a), reversed(b), strict=False)) if x != y)
    end = min(end, len(a) - start - 1, len(b) - start - 1)
    return f"<<<<<<< SEARCH\n{''.join(a[start : len(a) - end])}=======\n{''.join(b[start : len(b) - end])}>>>>>>> REPLACE\n"


def fenced(code: str) -> str:
    return f"```python\n{code}```"


@pytest.fixture(scope="module", autouse=True)
def wall() -> str:
    try:
        return choose("auto", composed=False).name
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a reproduction by a model that gives these replies, at a site with these settings."""

    def to_its_end(
        *replies: str, answer: Callable[[list[BaseMessage]], str] | None = None, **site: object
    ) -> tuple[Ended, Scripted, list[dict[str, object]]]:
        chat, events = Scripted(*replies, answer=answer), list[dict[str, object]]()
        monkeypatch.setattr("agents.llm.door.open_chat", lambda name, window: (chat, 128_000))
        settings = Settings(home=tmp_path / "home", parallel=2, **site)  # type: ignore[arg-type]
        request = ReproductionRequest(
            paper=str(NOTE),
            data=str(clicks(tmp_path / "clicks.csv")),
            baselines=("lr",),
            seeds=3,
            trials=1,
            epochs=1,
            model="scripted:x",
        )
        return go(settings, begin(settings, request), events.append), chat, events

    return to_its_end


def test_five_kinds_of_bad_code_are_repaired_one_after_the_other(run: Run, wall: str) -> None:
    codes = [BANNED, SHAPE, CONSTANT, UNUSED, ENDLESS, MODEL]
    patches = [patch(old, new) for old, new in pairwise(codes)]
    replies = [json.dumps(READING), fenced(BANNED), *patches, json.dumps(REVIEWED), fenced(WITHOUT)]
    ended, chat, _ = run(*replies, drafts=1, repairs=5, smoke_timeout_s=60)
    assert ended.summary.status == "done", ended.summary.reason
    assert ended.summary.verdict in ("better", "tie", "worse")
    assert len(chat.asked) == len(replies)
    faults = [messages[-1].text for messages in chat.asked[2:7]]
    for fault, says in zip(
        faults,
        ("`os` is not allowed", "gave shape", "predictions are not constant", "spare", "ran longer than 60 s"),
        strict=True,
    ):
        assert says in fault.partition("<failure>")[2], fault[-600:]
    report = (ended.folder.root / "report.md").read_text()
    for attempt in range(2, 7):
        assert f"What attempt {attempt} changes of attempt {attempt - 1}" in report
    assert "-import os" in report and "+        while True:" in report
    for step, calls in (("parse", 1), ("write", 1), ("repair", 5), ("review", 1), ("ablate", 1)):
        assert f"| {step} | {calls} | {1000 * calls:,} | {100 * calls} | unknown |" in report
    assert report.count("1 call, 1,000 tokens in, 100 out, cost unknown") == 6  # each attempt says what was paid for it
    assert (ended.folder.root / "model.py").read_text() == MODEL
    assert json.loads((ended.folder.root / "results.json").read_text())["sandbox"] == wall


def test_a_model_that_never_gets_it_right_ends_with_reasons_and_no_success(run: Run, tmp_path: Path) -> None:
    bad = [MODEL.replace("8", str(width)).replace(IMPORTS, "import os\n" + IMPORTS) for width in (5, 6, 7)]
    useless = patch("x = 1\n", "x = 2\n")  # replaces what stands nowhere
    drafts = iter(bad)

    def answer(messages: list[BaseMessage]) -> str:
        step = asked_for(messages[0].text)
        return {"read": json.dumps(READING), "repair": useless}.get(step) or fenced(next(drafts))

    ended, chat, events = run(answer=answer, drafts=3, repairs=2)
    assert (ended.summary.status, ended.code) == ("no_candidate", ExitCode.NO_CANDIDATE)
    assert "no model passed after 3 attempts: line" in ended.summary.reason and "`os` is not allowed" in ended.summary.reason
    assert ended.code != 0 and ended.summary.verdict == ""
    asked = Counter(asked_for(messages[0].text) for messages in chat.asked)
    assert asked["write"] == 3 and set(asked) == {"read", "write", "repair"}
    assert not (ended.folder.root / "results.json").exists()
    assert [e for e in events if e["event"] == "run_started"] == []
    earlier = [messages[-1].text for messages in chat.asked if asked_for(messages[0].text) == "write"][1]
    assert "an earlier draft for this specification; it failed at policy" in earlier and bad[0] in earlier
    client = MlflowClient(f"sqlite:///{tmp_path / 'home' / 'mlflow.sqlite'}")
    (parent,) = client.search_runs([client.get_experiment_by_name("reproductions").experiment_id])
    assert (parent.info.status, parent.data.tags["status"]) == ("FAILED", "no_candidate")
    assert "verdict" not in parent.data.tags


def test_what_is_not_faithful_is_improved_before_it_is_trained(run: Run) -> None:
    poor = json.loads(json.dumps(REVIEWED))
    poor["leaves"][0] = {"leaf": "m1", "judgement": "missing", "note": "no inner products"}
    poor["main_mechanism"] = None
    ended, chat, events = run(
        json.dumps(READING),
        fenced(WITHOUT),
        json.dumps(poor),
        patch(WITHOUT, MODEL),
        json.dumps(REVIEWED),
        fenced(WITHOUT),
        drafts=1,
    )
    assert ended.summary.status == "done", ended.summary.reason
    assert "m1 (mechanism: pairwise inner products) is missing: no inner products" in chat.asked[3][-1].text
    assert (ended.folder.root / "model.py").read_text() == MODEL
    stages = [e["stage"] for e in events if e["event"] == "stage_started"]
    assert stages.count("train") == 1 and stages.index("train") > stages.index("review")
    notes = [str(e["text"]) for e in events if e["event"] == "note"]
    assert sum("of the data in" in note for note in notes) == 2  # each candidate was tried on a sample


PAIRS = {
    "leaves": ["m1.e1"],
    "inputs": [{"name": "e", "shape": "(B, F, D)"}],
    "output": "(B, 1)",
    "code": """
import torch


def reference(*, e):
    rows = []
    for row in e:
        total = sum((row[i] * row[j]).sum() for i in range(len(row)) for j in range(i + 1, len(row)))
        rows.append(total)
    return torch.stack(rows).unsqueeze(1)
""",
}
BOUND = {
    "reference": 1,
    "layer": "FactorizationMachine",
    "arguments": {"n_fields": 3, "embedding_dim": 4},
    "inputs": [{"name": "e", "shape": [5, 3, 4]}],
}


@pytest.mark.parametrize(("factor", "judgement"), [("1", "met"), ("2", "missing")])
def test_an_equation_is_judged_by_numbers_whatever_the_reviewer_thinks(run: Run, factor: str, judgement: str) -> None:
    reading = json.loads(json.dumps(READING))
    reading["mechanisms"][0]["equations"] = ["y = \\sum_{i<j} <e_i, e_j>"]
    reading["mechanisms"][0]["symbols"] = [{"symbol": "e_i", "meaning": "embedding of field i", "shape": "(B, F, D)"}]
    opposite = "partly" if judgement == "met" else "met"
    opinion = {"leaf": "m1.e1", "judgement": opposite, "first_line": 13, "last_line": 13, "note": "an opinion"}
    review = REVIEWED | {"leaves": [*REVIEWED["leaves"], opinion], "probes": [BOUND], "main_mechanism": None}  # type: ignore[misc]
    reference = PAIRS | {"code": str(PAIRS["code"]).replace("total)", f"{factor} * total)")}
    replies = [json.dumps(reading), fenced(MODEL), json.dumps({"references": [reference]}), json.dumps(review)]
    ended, _, _ = run(*replies, drafts=1, improvements=0)
    assert ended.summary.status == "done", ended.summary.reason
    rows = {r["leaf"]: r for r in json.loads((ended.folder.root / "review.json").read_text())["leaves"]}
    assert (rows["m1.e1"]["judgement"], rows["m1.e1"]["decided_by"]) == (judgement, "numbers")
    assert "a naive reference" in rows["m1.e1"]["note"]
    report = (ended.folder.root / "report.md").read_text()
    assert "| m1.e1 | equation |" in report and "| numbers |" in report
