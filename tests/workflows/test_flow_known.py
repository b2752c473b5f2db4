"""What memory knows is not run twice, and what a run did can be asked of it afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient
from plain_flow import GOOD, Plain, Site, stages

from memory.beliefs import belief_on
from memory.records import DecisionRecord, LessonRecord, OutcomeRecord, RunRecord
from workflows.exit_codes import ExitCode
from workflows.memory import open_memory

pytestmark = pytest.mark.slow
OTHERWISE = GOOD.replace(
    "from torch import Tensor, nn", "# the same model, laid out otherwise\nfrom torch import Tensor, nn"
).replace("class Model(nn.Module):", 'class Model(nn.Module):\n    """A network."""\n')


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path)


def another_paper(folder: Path) -> str:
    path = folder / "another.md"
    path.write_text("# Another paper\n\n## Abstract\n\nWe predict clicks by a network over embeddings of all fields.\n")
    return str(path)


def test_the_same_model_from_another_paper_is_known_and_not_trained(site: Site, tmp_path: Path) -> None:
    first, _ = site.run(Plain(GOOD), seeds=3)
    assert first.summary.verdict in ("better", "worse", "tie")
    ended, events = site.run(Plain(OTHERWISE), seeds=3, paper=another_paper(tmp_path))
    assert (ended.summary.status, ended.summary.verdict, ended.code) == ("known", first.summary.verdict, ExitCode.DONE)
    assert stages(events)[-3:] == ["look_up", "report", "remember"] and "train" not in stages(events)
    assert f"run {first.summary.run_id} compared this very model" in ended.summary.reason
    report = (ended.folder.root / "report.md").read_text()
    assert first.summary.run_id in report and "agenticrs memory show run-" in report


def test_fresh_seeds_try_what_is_known_once_more_and_the_evidence_adds_up(site: Site, tmp_path: Path) -> None:
    first, _ = site.run(Plain(GOOD), seeds=3)
    second, events = site.run(Plain(OTHERWISE), seeds=3, paper=another_paper(tmp_path), fresh_seeds=True)
    assert second.summary.status == "done", second.summary.reason
    seeds = {str(e["what"]) for e in events if e["event"] == "run_finished" and e["model"] == "lr"}
    assert seeds == {"seed 4", "seed 5", "seed 6"}
    memory = open_memory(site.settings)
    (one, other) = (r for r in memory.all("run") if isinstance(r, RunRecord))
    assert one.configuration == other.configuration != "" and (one.first_seed, other.first_seed) == (1, 4)
    lessons = [r for r in memory.all("lesson") if isinstance(r, LessonRecord)]
    assert {e for lesson in lessons for e in lesson.evidence} == {f"run-{first.summary.run_id}", f"run-{second.summary.run_id}"}


@pytest.mark.parametrize("different", ["code", "protocol", "again", "seeds"])
def test_what_differs_or_is_wanted_again_is_trained(site: Site, tmp_path: Path, different: str) -> None:
    site.run(Plain(GOOD), seeds=3)
    code = GOOD.replace("32", "16") if different == "code" else OTHERWISE
    asked = {"protocol": {"trials": 2}, "again": {"again": True}, "seeds": {"seeds": 4}}.get(different, {})
    ended, events = site.run(Plain(code), paper=another_paper(tmp_path), **({"seeds": 3} | asked))
    assert ended.summary.status == "done", ended.summary.reason
    assert "train" in stages(events)


def test_runs_that_are_recorded_do_not_depend_on_memory(site: Site, tmp_path: Path) -> None:
    site.run(Plain(GOOD), seeds=3)
    ended, _ = site.run(Plain(OTHERWISE), seeds=3, paper=another_paper(tmp_path), record=tmp_path / "kept")
    assert ended.summary.status == "done"


def test_a_run_leaves_its_decisions_its_outcome_and_what_it_taught(site: Site) -> None:
    ended, _ = site.run(Plain("import os\n" + GOOD, GOOD), seeds=3)
    memory, run = open_memory(site.settings), f"run-{ended.summary.run_id}"
    found = memory.children(run)
    decisions = [r for r in found if isinstance(r, DecisionRecord)]
    assert [d.choice for d in decisions] == ["a draft", "repair of candidate 1", "candidate 2"]
    assert "`os` is not allowed" in decisions[1].rationale
    (outcome,) = (r for r in found if isinstance(r, OutcomeRecord))
    assert (outcome.verdict, outcome.dataset) == (ended.summary.verdict, "clicks") and outcome.mlflow_run
    assert outcome.metrics["test_auc"] > 0.5
    client = MlflowClient(site.settings.mlflow_uri)
    assert client.get_run(outcome.mlflow_run).data.tags["memory"] == outcome.id
    (lesson,) = (r for r in found if isinstance(r, LessonRecord))
    belief = belief_on(memory, lesson.topic)
    assert belief and belief.lessons == (lesson,) and "1 run" in belief.in_words
    assert {r.kind for r in memory.all()} == {"paper", "section", "method", "mechanism", "run", "decision", "outcome", "lesson"}
    assert all(r.agent == "AutoTrain" for r in memory.all())
