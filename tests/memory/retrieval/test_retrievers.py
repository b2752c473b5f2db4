"""What every retriever promises: at most k roots, the best first, none twice, by records that meet what narrows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ladders_of_records import PAPERS, run, small_memory

from memory.embeddings import WordEmbeddings
from memory.narrowing import ANYTHING, Only
from memory.records import PaperRecord, SectionRecord
from memory.retrieval import DEFAULT, Retriever, Root, RootsAlone, Router, TwoPath, find
from memory.store import MemoryStore

RETRIEVERS: dict[str, Retriever] = {
    "plain": RootsAlone(),
    "two-path": RootsAlone(TwoPath()),
    "two-path that knows nothing": RootsAlone(TwoPath(surely=2.0, hardly=1.5)),
    "router": Router(words=0),
    "router and two-path": Router(TwoPath(surely=2.0, hardly=1.5, fuse="best"), words=0),
    "default": DEFAULT,
}
TEXTS = (
    "embeddings in fewer bits",
    "walks over what was visited",
    "qzx vvkpl",
    "",
    'AND OR NOT ( " * : ^ -',
    "die Gewichte \u4e2d\u6587 \U0001f600",
)

each = pytest.mark.parametrize("retriever", RETRIEVERS.values(), ids=RETRIEVERS.keys())
of_each_root = pytest.mark.parametrize("root", ["paper", "run"])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return small_memory(tmp_path_factory.mktemp("memory"))


@each
@of_each_root
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("k", [1, 2, 10])
def test_at_most_k_roots_the_best_first_none_twice(
    store: MemoryStore, retriever: Retriever, root: Root, text: str, k: int
) -> None:
    found = retriever(store, text, root, k, ANYTHING)
    assert len(found) <= k
    assert {f.record.kind for f in found} <= {root}
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    assert len({f.record.id for f in found}) == len(found)
    assert all(-1.001 <= f.by.similarity <= 1.001 for f in found)


@each
@of_each_root
def test_what_is_asked_for_in_its_own_words_comes_first(store: MemoryStore, retriever: Retriever, root: Root) -> None:
    text = " ".join(PAPERS["tables"]) if root == "paper" else "tables against dnn on census"
    assert retriever(store, text, root, 3, ANYTHING)[0].record.id == f"{root}-tables"


@each
@of_each_root
def test_an_empty_memory_answers(tmp_path: Path, retriever: Retriever, root: Root) -> None:
    assert retriever(MemoryStore(tmp_path, WordEmbeddings()), "anything", root, 5, ANYTHING) == []


@each
@pytest.mark.parametrize("only", [Only(dataset="census"), Only(agent="AutoTrain", dataset="census"), Only(task="ctr")])
def test_what_narrows_holds_for_what_is_found(store: MemoryStore, retriever: Retriever, only: Only) -> None:
    found = retriever(store, "walks over what was visited", "run", 10, only)
    assert len(found) == (1 if only.dataset else 3)
    assert all(f.record.dataset == only.dataset for f in found if only.dataset)


@each
def test_time_narrows(store: MemoryStore, retriever: Retriever) -> None:
    for root in ("paper", "run"):
        found = retriever(store, "experts", root, 10, Only(since="2026-01-02", until="2026-01-03"))
        assert [f.record.id for f in found] == [f"{root}-tables"]


@each
def test_nothing_meets_what_nothing_meets(store: MemoryStore, retriever: Retriever) -> None:
    assert retriever(store, "experts", "run", 10, Only(dataset="no such data")) == []


def test_an_outcome_narrows_runs_to_those_that_ended_so(store: MemoryStore) -> None:
    found = find(store, "experts weighed by a gate", "run", 10, Only(outcome="worse"))
    assert [(f.record.id, f.by.record.kind) for f in found] == [("run-graphs", "outcome")]


def test_nobody_asks_for_nothing(store: MemoryStore) -> None:
    assert find(store, "experts", "paper", 0) == []


def test_a_run_is_found_by_its_paper_and_only_where_it_meets_what_narrows(tmp_path: Path) -> None:
    store = small_memory(tmp_path)
    store.add(*run("gates", "run-again", "2026-02-01T00:00:00+00:00"))
    text = "experts that tasks share, weighed by a gate for each task"
    both = find(store, text, "run", 2)
    assert {f.record.id for f in both} == {"run-gates", "run-again"}
    assert {f.by.record.id for f in both} <= {"paper-gates", "section-gates", "mechanism-gates"}
    assert [f.record.id for f in find(store, text, "run", 5, Only(since="2026-02-01"))] == ["run-again"]


def test_what_was_forgotten_is_not_found(tmp_path: Path) -> None:
    store = small_memory(tmp_path)
    store.forget(["paper-graphs"], "a test")
    assert {f.record.id for f in find(store, "items of a session are nodes", "paper", 9)} == {"paper-gates", "paper-tables"}


def test_a_rare_word_finds_what_meaning_does_not(tmp_path: Path) -> None:
    store = small_memory(tmp_path)
    note = store.get("section-gates").model_copy(update={"id": "section-name", "beginning": "As in Zyqqurat99."})  # type: ignore[union-attr]
    store.add(note)
    (first, *_) = find(store, "zyqqurat99", "paper")
    assert (first.record.id, first.by.record.id) == ("paper-gates", "section-name")


def test_the_only_record_of_a_grain_is_heard(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    vague = {"title": "New", "source": "", "abstract": "A new idea about things."}
    store.add(*(PaperRecord(id=name, **vague) for name in ("a", "b", "c")))
    store.add(SectionRecord(id="s", parents=("b",), title="Gates", beginning="Experts weighed by a gate for each task."))
    first = find(store, "a gate weighs the experts of a task", "paper")[0]
    assert (first.record.id, first.by.record.id) == ("b", "s")
