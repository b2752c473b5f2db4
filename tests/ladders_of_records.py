"""A small memory with whole ladders: three papers, their sections and mechanisms, and runs with what came of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from memory.embeddings import WordEmbeddings
from memory.records import (
    AnyRecord,
    LessonRecord,
    MechanismRecord,
    MethodRecord,
    OutcomeRecord,
    PaperRecord,
    RunRecord,
    SectionRecord,
)
from memory.store import MemoryStore

PAPERS = {
    "gates": ("Gates between tasks", "Experts that tasks share, weighed by a gate for each task."),
    "tables": ("Small embedding tables", "Embeddings are quantised while they are trained, to save memory."),
    "graphs": ("Graphs of sessions", "Items of a session are nodes, and a random walk finds the next one."),
}
DATASETS = {"gates": "clicks", "tables": "census", "graphs": "visits"}
VERDICTS = {"gates": "better", "tables": "tie", "graphs": "worse"}


def ladders() -> Iterator[AnyRecord]:
    for day, (name, (title, abstract)) in enumerate(PAPERS.items(), 1):
        created = f"2026-01-0{day}T00:00:00+00:00"
        yield PaperRecord(id=f"paper-{name}", title=title, source="a.md", abstract=abstract, created=created)
        yield SectionRecord(id=f"section-{name}", parents=(f"paper-{name}",), title="Method", beginning=abstract, created=created)
        yield MethodRecord(id=f"method-{name}", parents=(f"paper-{name}",), name=name, mechanisms=("dnn",), created=created)
        yield MechanismRecord(id=f"mechanism-{name}", parents=(f"method-{name}",), name=title, quote=abstract, created=created)
        yield from run(name, f"run-{name}", created)


def run(name: str, run_id: str, created: str) -> Iterator[AnyRecord]:
    where = {"agent": "AutoTrain", "dataset": DATASETS[name], "task": "ctr", "created": created}
    yield RunRecord(
        id=run_id,
        parents=(f"paper-{name}",),
        data_hash="h",
        code_hash="c",
        candidate=name,
        baselines=("dnn",),
        seeds=3,
        trials=1,
        sandbox="process",
        **where,
    )
    outcome = {"status": "done", "verdict": VERDICTS[name], "reason": f"{VERDICTS[name]} than dnn"}
    yield OutcomeRecord(id=run_id.replace("run", "outcome"), parents=(f"paper-{name}", run_id), **outcome, **where)
    lesson = {"subject": name, "claim": f"{name}: {VERDICTS[name]}", "polarity": "neutral", "reason": "as measured"}
    yield LessonRecord(id=run_id.replace("run", "lesson"), parents=(run_id,), evidence=(run_id,), **lesson, **where)


def small_memory(folder: Path) -> MemoryStore:
    store = MemoryStore(folder, WordEmbeddings())
    store.add(*ladders())
    return store
