"""Recorded reproductions of real papers run again without a model: the same code, byte for byte, and the same verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_papers import Recorded, digest, recorded
from shared_data import need_shared

from agents.autotrain.reading import read_paper
from sandboxes import SandboxUnavailable, choose
from workflows.driver import begin, go
from workflows.request import ReproductionRequest
from workflows.settings import Settings

CASES = recorded()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: data and baselines are made once."""
    return tmp_path_factory.mktemp("home")


def test_there_are_papers_of_different_kinds() -> None:
    assert len(CASES) >= 6
    assert sum(case.paper.startswith("pdf/") for case in CASES) >= 3
    assert sum(case.paper.startswith("abstracts/") for case in CASES) >= 3


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.folder.name)
def test_a_recorded_paper_replays_to_the_same_code_and_verdict(case: Recorded, home: Path, tmp_path: Path) -> None:
    paper = need_shared(f"papers/{case.paper}")
    try:
        choose("auto", composed=False)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    exchanges = case.exchanges(read_paper(str(paper), tmp_path / "papers"), tmp_path / "exchanges")
    asked = {"paper": str(paper), "replay": exchanges, "ablation": False, **case.options}  # code and verdict come before it
    request = ReproductionRequest.model_validate(asked)
    site = Settings(home=home)
    ended = go(site, begin(site, request), lambda event: None)
    assert ended.summary.status == "done", ended.summary.reason
    assert digest(ended.folder.read_text("model.py")) == case.code
    assert ended.summary.verdict == case.verdict
    assert not ended.folder.has("calls.jsonl")
