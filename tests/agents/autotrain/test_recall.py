"""What memory knows before anything is proposed: near papers, lessons, and models that came to a verdict for like methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.autotrain.paper import Paper
from agents.autotrain.recall import MODELS, recall
from agents.autotrain.spec import Mechanism, MethodSpec, Scope
from memory.embeddings import WordEmbeddings
from memory.records import MethodRecord, OutcomeRecord, PaperRecord, SectionRecord
from memory.store import MemoryStore

PAPER = Paper(
    title="Gates", source="a.md", format="markdown", text="A gate on pairs of fields for click-through rate prediction."
)
SPEC = MethodSpec(
    paper_id=PAPER.id,
    title=PAPER.title,
    model_name="",
    scope=Scope(kind="in_scope"),
    mechanisms=(Mechanism(id="m1", name="factorization machine", block="fm", basis="stated", confidence=1),),
)


@pytest.fixture
def memory(tmp_path: Path) -> MemoryStore:
    return MemoryStore(tmp_path, WordEmbeddings())


def remember(memory: MemoryStore, paper: str, blocks: tuple[str, ...], *runs: tuple[str, str, str]) -> None:
    """A method of a paper with runs (id, status, reason), the newest last."""
    method = MethodRecord(id=f"method-{paper}", parents=(f"paper-{paper}",), name=paper.upper(), task="ctr", mechanisms=blocks)
    memory.add(method)
    for second, (run, status, reason) in enumerate(runs):
        parents = (f"paper-{paper}", f"run-{run}")
        created = f"2026-01-01T00:00:0{second}+00:00"
        memory.add(OutcomeRecord(id=f"outcome-{run}", created=created, parents=parents, status=status, reason=reason))


def test_models_of_like_methods_are_found_with_their_newest_outcome(memory: MemoryStore) -> None:
    remember(
        memory, "a", ("fm", "dnn"), ("r1", "done", "worse than lr"), ("r2", "done", "better than lr"), ("r3", "failed", "stopped")
    )
    (model,) = recall(memory, PAPER, SPEC, "clicks").models
    assert (model.run_id, model.name, model.outcome) == ("r2", "A", "better than lr")
    assert 0 < model.similarity <= 1


def test_a_model_of_the_very_same_blocks_is_marked(memory: MemoryStore) -> None:
    remember(memory, "a", ("fm",), ("r1", "done", "worse than lr"))
    remember(memory, "b", ("fm", "dnn"), ("r2", "done", "better than lr"))
    assert {m.run_id: m.same_blocks for m in recall(memory, PAPER, SPEC, "clicks").models} == {"r1": True, "r2": False}


def test_methods_that_came_to_nothing_give_no_model(memory: MemoryStore) -> None:
    remember(memory, "a", ("fm",), ("r1", "no_candidate", "no model passed"))
    assert recall(memory, PAPER, SPEC, "clicks").models == ()


def test_there_are_few_and_the_nearest_come_first(memory: MemoryStore) -> None:
    for i, blocks in enumerate([("fm", "linear"), ("fm",), ("item_tower", "sampled_softmax"), ("fm", "dnn")]):
        remember(memory, f"p{i}", blocks, (f"r{i}", "done", "no difference"))
    found = recall(memory, PAPER, SPEC, "clicks").models
    assert len(found) == MODELS
    assert [m.similarity for m in found] == sorted((m.similarity for m in found), reverse=True)
    assert "r2" not in {m.run_id for m in found}


def test_papers_are_found_by_their_sections_too(memory: MemoryStore) -> None:
    vague = {"source": "b.md", "abstract": "A new idea about things."}
    memory.add(PaperRecord(id="paper-a", title="New", **vague), PaperRecord(id="paper-b", title="Other", **vague))
    memory.add(SectionRecord(id="section-a", parents=("paper-a",), title="Gates", beginning=PAPER.text))
    memory.add(OutcomeRecord(id="outcome-r", parents=("paper-a",), status="done", verdict="tie", reason="no difference"))
    (paper,) = recall(memory, PAPER, SPEC, "clicks").papers
    assert (paper.title, len(paper.outcomes)) == ("New", 1)
    assert paper.similarity > 0.9
