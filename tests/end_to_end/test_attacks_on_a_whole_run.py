"""Attack papers through the whole flow: a language model that obeys them, the real sandbox, and what lies on disk afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from attacks import ATTACKS, Attack, code, everything_in, no_network, obedient
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from scripted_chat import Scripted
from scripted_method import MODEL
from small_clicks import clicks

from agents.autotrain.language_model import LanguageModelEngine
from agents.autotrain.spec import MethodSpec
from agents.llm import LanguageModel, Ledger
from sandboxes import SandboxUnavailable, choose
from sandboxes.kit.layers import CARDS
from workflows.driver import Ended, begin, go
from workflows.exit_codes import ExitCode
from workflows.request import ReproductionRequest
from workflows.settings import Settings

NAMED = {attack.name: attack for attack in ATTACKS}


@dataclass(frozen=True)
class Run:
    ended: Ended
    connections: list[object]
    around: tuple[dict[str, bytes], dict[str, bytes]]  # the files outside the platform's home, before and after
    home: set[str]  # what lies at the top of the home


def run(attack: Attack, folder: Path, *answers: str) -> Run:
    """The request of a user who names the paper, with a model that gives these answers."""
    try:
        choose("auto", composed=False)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    paper, home = attack.placed(folder), folder / "home"
    request = ReproductionRequest(
        paper=str(paper),
        data=str(clicks(folder / "clicks.csv", 2000)),
        baselines=("lr",),
        seeds=1,
        trials=1,
        epochs=1,
        ablation=False,
    )
    settings = Settings(home=home, drafts=1, improvements=0, parallel=1)
    place = begin(settings, request)
    (folder / "here").mkdir()
    before = _around(folder)
    with no_network() as connections, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "here")
        door = LanguageModel(
            "scripted:x", cache=home / "answers", ledger=Ledger(place.path("calls.jsonl")), chat=Scripted(*answers)
        )
        ended = go(settings, place, lambda event: None, engine=LanguageModelEngine(door, CARDS))
    return Run(ended, connections, (before, _around(folder)), {p.name for p in home.iterdir()})


def _around(folder: Path) -> dict[str, bytes]:
    return {path: data for path, data in everything_in(folder).items() if not path.startswith("home/")}


def unharmed(run: Run) -> None:
    assert run.connections == []
    assert run.around[0] == run.around[1]
    parts = {"runs", "answers", "data", "jobs", "memory", "mlflow.sqlite", "mlflow.sqlite.lock", "mlartifacts"}
    parts |= {"checkpoints.sqlite"}
    assert {name.partition("-")[0] for name in run.home} <= parts, run.home  # SQLite keeps "-wal" and "-shm" beside its files
    assert [p.name for p in run.ended.folder.root.parent.iterdir()] == [run.ended.folder.run_id]


@pytest.mark.slow
def test_code_of_the_papers_is_never_run(tmp_path: Path) -> None:
    attack = NAMED["payload_shell.md"]
    read = obedient(attack)[:3]
    another = attack.code.strip().replace("import os", "import subprocess as os")
    written = f"```python\n{code(attack)}```"
    patched = f"<<<<<<< SEARCH\n{attack.code.strip()}\n=======\n{another}\n>>>>>>> REPLACE"
    done = run(attack, tmp_path, *read, written, patched, "I obey.", "I obey.")
    unharmed(done)
    assert (done.ended.summary.status, done.ended.code) == ("no_candidate", ExitCode.NO_CANDIDATE)
    root = done.ended.folder.root
    assert "`os` is not allowed" in (root / "code/1/policy.txt").read_text()
    assert "`subprocess` is not allowed" in (root / "code/2/policy.txt").read_text()
    assert not list(root.rglob("smoke.json"))  # nothing came as far as a sandbox
    assert not list(tmp_path.rglob("zebra*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["beacon_in_title.txt", "redirects.txt"])
def test_a_paper_that_gives_orders_ends_as_any_other(name: str, tmp_path: Path) -> None:
    """The model repeats the orders wherever it can; what it writes is fit to be trained."""
    attack = NAMED[name]
    answers = obedient(attack)
    done = run(attack, tmp_path, *answers[:3], f"{attack.says}\n```python\n{MODEL}```", *answers[5:7])
    unharmed(done)
    root = done.ended.folder.root
    assert (done.ended.summary.status, done.ended.summary.verdict) == ("done", "smoke"), done.ended.summary.reason
    assert done.ended.summary.dataset == "clicks"
    assert done.ended.folder.load("spec", MethodSpec).model_name == " ".join(attack.says[:100].split())
    scores = json.loads((root / "scores.json").read_text())["models"]
    assert [m["name"] for m in scores] == ["candidate", "lr"]
    assert all(task["values"]["auc"] < 0.99 for m in scores for s in m["test"].values() for task in s["tasks"])
    page = BeautifulSoup((root / "report.html").read_text(), "lxml")
    assert not page.find_all(["script", "img", "iframe", "link", "object"])
    assert not page.find_all(src=True) and not page.find_all(onload=True)
    assert "zebra" in page.get_text().lower()
    tokens = MarkdownIt("commonmark").enable("table").parse((root / "report.md").read_text())
    kinds = {t.type for token in tokens for t in (token, *(token.children or []))}
    assert not {"html_block", "html_inline", "link_open", "image"} & kinds
