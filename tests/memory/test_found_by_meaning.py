"""What the memory finds by meaning, in a folder and at a server: the nearest, all of them, and only those asked for."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from memory_records import DAY, ONE_OF_EACH, Letters, lesson, papers, said

from memory.embeddings import WordEmbeddings
from memory.narrowing import Only
from memory.records import OutcomeRecord, PaperRecord
from memory.store import MemoryStore

DATASETS, TASKS, AGENTS, VERDICTS = ("d1", "d2", "d3", "rare"), ("ctr", "items"), ("A", "B"), ("better", "worse", "tie")


def outcomes(n: int) -> list[OutcomeRecord]:
    """Of all data sets, tasks, agents and verdicts; every hundredth is of the rare data set."""
    return [
        OutcomeRecord(
            id=f"o{i}",
            dataset="rare" if i % 100 == 99 else DATASETS[i % 3],
            task=TASKS[i % 2],
            agent=AGENTS[i // 2 % 2],
            status="done",
            verdict=VERDICTS[i % 7 % 3],
            reason=said(i),
            created=DAY.format(1 + i % 28),
        )
        for i in range(n)
    ]


@pytest.fixture(scope="module")
def many() -> list[OutcomeRecord]:
    return outcomes(1200)


def test_the_nearest_in_meaning_comes_first(store: MemoryStore) -> None:
    bought = PaperRecord(
        id="p2", title="Interest in what was bought", source="b.md", abstract="Attention over a user's past purchases."
    )
    store.add(*ONE_OF_EACH, bought)
    hits = store.similar("which items somebody purchased before, weighted by attention", "paper")
    assert [h.record.id for h in hits] == ["p2", "p1"]
    assert 1 >= hits[0].similarity > hits[1].similarity >= -1


def test_only_the_kind_asked_for(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    for record in ONE_OF_EACH:
        assert [h.record.kind for h in store.similar("anything", record.kind)] == [record.kind]


def test_similarities_are_those_of_the_vectors_in_falling_order(store: MemoryStore) -> None:
    records = papers(range(200))
    store.add(*records)
    query = store.vector("a purchase of bread and cheese in a shop")
    vectors = store.vectors("paper", [r.id for r in records])
    true = {r.id: float(query @ vectors[r.id]) for r in records}
    hits = store.near(query, "paper", 20)
    assert [h.similarity for h in hits] == sorted((h.similarity for h in hits), reverse=True)
    assert np.allclose([h.similarity for h in hits], [true[h.record.id] for h in hits], atol=1e-5)
    assert [h.similarity for h in hits] == pytest.approx(sorted(true.values(), reverse=True)[:20], abs=1e-5)
    assert np.isclose(np.linalg.norm(query), 1) and np.allclose([np.linalg.norm(v) for v in vectors.values()], 1, atol=2e-3)


def test_vectors_are_given_for_the_ids_that_there_are(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    vectors = store.vectors("paper", ["p1", "p1", "nobody", "l1"])
    assert set(vectors) == {"p1"}
    assert float(vectors["p1"] @ store.vector(ONE_OF_EACH[0].text())) > 0.999


@pytest.mark.parametrize("k", [5, 200, 10_000])
def test_k_may_be_larger_than_the_store(store: MemoryStore, k: int) -> None:
    store.add(*papers(range(200)))
    ids = [h.record.id for h in store.similar("bread", "paper", k)]
    assert len(ids) == len(set(ids)) == min(k, 200)


@pytest.mark.parametrize("k", [0, -1])
def test_nothing_is_found_where_nothing_is_wanted(store: MemoryStore, k: int) -> None:
    store.add(*papers(range(3)))
    assert store.similar("bread", "paper", k) == []


def test_many_copies_of_some_texts_hide_no_other_record(store: MemoryStore) -> None:
    copies = [PaperRecord(id=f"c{i}", title=said(i % 30), source="", abstract="") for i in range(3000)]
    others = papers(range(100, 200))
    mixed = [*copies, *others]
    np.random.default_rng(0).shuffle(mixed)
    store.add(*mixed)
    nearest = [store.similar(record.text(), "paper", 1)[0] for record in (*others, *copies[:30])]
    assert sum(hit.similarity > 0.999 for hit in nearest) >= 128


NARROW = (
    Only(dataset="d1"),
    Only(dataset="rare"),
    Only(task="items"),
    Only(agent="B"),
    Only(outcome="tie"),
    Only(since=DAY.format(15)),
    Only(until=DAY.format(3)),
    Only(since=DAY.format(10), until=DAY.format(11)),
    Only(dataset="rare", task="items", agent="B", outcome="worse"),
    Only(dataset="rare", task="ctr"),
    Only(dataset="d2", outcome="better", since="2026-05-20"),
    Only(dataset="nothing"),
)


def fits(record: OutcomeRecord, only: Only) -> bool:
    parts = ("dataset", "task", "agent", "outcome")
    same = all(getattr(only, name) in ("", getattr(record, name)) for name in parts)
    return same and (not only.since or record.created >= only.since) and (not only.until or record.created < only.until)


@pytest.mark.parametrize("mode", ["folder", "server"])
def test_what_is_asked_for_is_found_and_nothing_else(
    mode: str, many: list[OutcomeRecord], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    address = str(request.getfixturevalue("server")) if mode == "server" else ""
    store = MemoryStore(tmp_path_factory.mktemp("many"), WordEmbeddings(), address)
    store.add(*many)
    query = store.vector("an expert session of travel")
    similarity = {name: float(query @ v) for name, v in store.vectors("outcome", [r.id for r in many]).items()}
    for only in NARROW:
        fit = [r for r in many if fits(r, only)]
        assert {r.id for r in store.all("outcome", only)} == {r.id for r in fit}, only
        hits = store.near(query, "outcome", 5, only)
        best = sorted((similarity[r.id] for r in fit), reverse=True)[:5]
        assert [h.similarity for h in hits] == pytest.approx(best, abs=1e-5), only
        assert {h.record.id for h in hits} <= {r.id for r in fit}, only
        assert len(store.near(query, "outcome", 2000, only)) == len(fit), only


def test_a_listing_is_narrowed_by_every_part(many: list[OutcomeRecord], tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    store.add(*many[:300])
    parts = {"dataset": "d1", "task": "ctr", "agent": "A", "outcome": "tie", "since": DAY.format(5), "until": DAY.format(25)}
    for size in range(1, len(parts) + 1):
        for names in combinations(parts, size):
            only = Only(**{name: parts[name] for name in names})
            assert {r.id for r in store.all("outcome", only)} == {r.id for r in many[:300] if fits(r, only)}


def test_a_topic_narrows_lessons_to_those_on_the_same(store: MemoryStore) -> None:
    lessons = [lesson(1), lesson(2, "negative"), lesson(3, subject="dnn"), lesson(4, dataset="e"), lesson(5, task="items")]
    store.add(*lessons)
    only = Only(topic=lessons[0].topic)
    assert store.all("lesson", only) == lessons[:2]
    assert {h.record.id for h in store.similar("fm", "lesson", 5, only)} == {"l1", "l2"}


def test_times_that_are_none_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        Only(since="yesterday")


def test_time_zones_are_kept_apart(store: MemoryStore) -> None:
    early = PaperRecord(
        id="early", title="a", source="", abstract="", created="2026-05-01T00:30:00+02:00"
    )  # the day before, in UTC
    late = PaperRecord(id="late", title="a", source="", abstract="", created="2026-05-01T00:30:00")
    store.add(late, early)
    assert store.all() == [early, late]
    assert store.all(only=Only(since="2026-05-01")) == [late] and store.all(only=Only(until="2026-05-01")) == [early]


def test_a_text_is_embedded_once(tmp_path: Path, address: str) -> None:
    embeddings = Letters()
    store = MemoryStore(tmp_path, embeddings, address)
    for start in range(0, 100, 10):
        store.add(*papers(range(start, start + 10)))
        store.add(*papers(range(start, start + 10)))
    assert len(embeddings.given) == 100
