"""What is found is carried to its roots along lineage as it lies there: with gaps, in circles, with several parents."""

from __future__ import annotations

from pathlib import Path

import pytest
from ladders_of_records import ladders, run, small_memory

from memory.narrowing import ANYTHING, Only
from memory.records import AnyRecord, LessonRecord, MechanismRecord
from memory.retrieval import LADDERS, Root, find
from memory.retrieval.ladders import LEVELS, OF_ONE, roots_of
from memory.store import MemoryStore


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return small_memory(tmp_path)


def roots(store: MemoryStore, root: Root, record: AnyRecord, only: Only = ANYTHING) -> tuple[str, ...]:
    store.add(record)
    return roots_of(store, LADDERS[root], {record.id: record.kind}, only).get(record.id, ())


def mechanism(name: str, *parents: str) -> MechanismRecord:
    return MechanismRecord(id=name, parents=parents, name="a gate", quote="a gate that opens")


def lesson(name: str, *parents: str) -> LessonRecord:
    said = {"subject": "gates", "claim": "gates help", "polarity": "positive", "reason": "as measured"}
    return LessonRecord(id=name, parents=parents, evidence=(), **said)


def test_every_record_of_a_ladder_leads_to_its_root(store: MemoryStore) -> None:
    for record in ladders():
        if record.kind in ("paper", "section", "mechanism"):
            assert roots_of(store, LADDERS["paper"], {record.id: record.kind}, ANYTHING)[record.id][0].startswith("paper-")
        if record.kind != "method":
            (name,) = roots_of(store, LADDERS["run"], {record.id: record.kind}, ANYTHING)[record.id]
            assert name.startswith("run-") and name.split("-")[1] == record.id.split("-")[1]


def test_parents_that_are_missing_lead_nowhere(store: MemoryStore) -> None:
    assert roots(store, "paper", mechanism("a", "method-lost")) == ()
    assert roots(store, "paper", mechanism("b")) == ()
    assert roots(store, "run", lesson("c", "run-lost")) == ()
    assert roots(store, "paper", mechanism("d", "method-lost", "method-gates")) == ("paper-gates",)
    assert {f.record.id for f in find(store, "a gate that opens", "paper", 9)} == {"paper-gates", "paper-graphs", "paper-tables"}


def test_circles_end(store: MemoryStore) -> None:
    store.add(mechanism("b", "a"), mechanism("c", "b", "paper-tables"))
    assert roots(store, "paper", mechanism("a", "c", "a")) == ("paper-tables",)
    assert roots(store, "run", lesson("itself", "itself")) == ()


def test_several_parents_lead_to_several_roots(store: MemoryStore) -> None:
    both = lesson("both", "run-gates", "run-graphs", "run-gates")
    assert roots(store, "run", both) == ("run-gates", "run-graphs")


def test_climbing_ends_after_some_levels(store: MemoryStore) -> None:
    store.add(*(mechanism(f"m{i}", f"m{i + 1}") for i in range(LEVELS)), mechanism(f"m{LEVELS}", "paper-gates"))
    assert roots(store, "paper", mechanism("m1", "m2")) == ("paper-gates",)
    assert roots(store, "paper", mechanism("m0", "m1")) == ()


def test_the_newest_runs_of_a_paper_are_reached(store: MemoryStore) -> None:
    for i in range(OF_ONE + 5):
        store.add(*run("gates", f"run-n{i}", f"2026-03-01T00:{i:02}:00+00:00"))
    paper = store.get("paper-gates")
    assert paper
    reached = roots_of(store, LADDERS["run"], {paper.id: "paper"}, ANYTHING)[paper.id]
    assert reached == tuple(f"run-n{i}" for i in range(OF_ONE + 4, 4, -1))
    assert roots_of(store, LADDERS["run"], {paper.id: "paper"}, Only(until="2026-02-01"))[paper.id] == ("run-gates",)
