"""The memory store: records come back as they went in, by id, by kind and by meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from memory.embeddings import WordEmbeddings
from memory.records import LessonRecord, MethodRecord, OutcomeRecord, PaperRecord, Record, RunRecord
from memory.store import MemoryStore

PAPER = PaperRecord(
    id="p1", title="Crossing features", source="note.md", abstract="A network that multiplies features explicitly."
)
SEQUENCE = PaperRecord(
    id="p2", title="Interest in what was bought", source="b.md", abstract="Attention over a user's past purchases."
)
RECORDS: tuple[Record, ...] = (
    PAPER,
    SEQUENCE,
    MethodRecord(id="m1", parents=("p1",), name="X", task="ctr", mechanisms=("fm", "dnn"), unclear=("a trick",)),
    RunRecord(
        id="r1", dataset="d", data_hash="h", code_hash="c", candidate="X", baselines=("lr",), seeds=3, trials=2, sandbox="docker"
    ),
    OutcomeRecord(id="o1", parents=("r1",), status="done", verdict="tie", reason="no difference shown", metrics={"auc": 0.7}),
    LessonRecord(
        id="l1",
        subject="fm",
        claim="fm adds nothing to dcnv2",
        polarity="negative",
        dataset="d",
        reason="tie over 5 seeds",
        evidence=("r1",),
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return MemoryStore(tmp_path / "memory", WordEmbeddings())


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.kind)
def test_every_kind_comes_back_as_it_went_in(store: MemoryStore, record: Record) -> None:
    store.add(record)  # type: ignore[arg-type]
    assert store.get(record.id) == record


def test_records_outlive_the_store(tmp_path: Path) -> None:
    MemoryStore(tmp_path, WordEmbeddings()).add(PAPER)
    assert MemoryStore(tmp_path, WordEmbeddings()).all("paper") == [PAPER]


def test_writing_twice_leaves_one_record(store: MemoryStore) -> None:
    store.add(PAPER)
    store.add(PAPER)
    assert len(store) == 1


def test_the_nearest_in_meaning_comes_first(store: MemoryStore) -> None:
    store.add(*RECORDS)  # type: ignore[arg-type]
    hits = store.similar("which items somebody purchased before, weighted by attention", "paper")
    assert [h.record.id for h in hits] == ["p2", "p1"]
    assert hits[0].similarity > hits[1].similarity


def test_only_the_kind_asked_for(store: MemoryStore) -> None:
    store.add(*RECORDS)  # type: ignore[arg-type]
    assert {h.record.kind for h in store.similar("anything", "lesson")} == {"lesson"}


def test_an_empty_store_answers(store: MemoryStore) -> None:
    assert store.similar("anything", "paper") == []
    assert store.get("nobody") is None
    assert store.all("run") == []
