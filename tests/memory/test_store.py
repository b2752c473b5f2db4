"""What the memory promises, in a folder and at a server: records come back by id, by lineage and by what they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest
from memory_records import DAY, ONE_OF_EACH, found_by_itself, lesson, papers

from memory.embeddings import WordEmbeddings
from memory.errors import RecordRefused
from memory.narrowing import Only
from memory.records import AnyRecord, LessonRecord, PaperRecord, SectionRecord
from memory.store import MemoryStore

PAPER, SECTION = ONE_OF_EACH[:2]


@pytest.mark.parametrize("record", ONE_OF_EACH, ids=lambda r: r.kind)
def test_every_kind_comes_back_as_it_went_in(store: MemoryStore, record: AnyRecord) -> None:
    assert store.add(record) == 1
    assert store.get(record.id) == record
    assert store.all(record.kind) == store.all() == [record]
    assert found_by_itself(store, record) and len(store) == 1


def test_records_outlive_the_store(tmp_path: Path, address: str) -> None:
    MemoryStore(tmp_path, WordEmbeddings(), address).add(*ONE_OF_EACH)
    again = MemoryStore(tmp_path, WordEmbeddings(), address)
    assert again.all() == list(ONE_OF_EACH)
    assert all(found_by_itself(again, record) for record in ONE_OF_EACH)


def test_an_empty_store_answers(store: MemoryStore) -> None:
    assert store.add() == 0 and len(store) == 0
    assert store.get("nobody") is None
    assert store.all() == store.all("run") == store.children("nobody") == []
    assert store.similar("anything", "paper") == []
    assert store.vectors("paper", ["nobody"]) == {} == store.vectors("paper", [])
    assert store.forget(["nobody"], "a slip") == 0 == store.forget([], "nothing")


def test_writing_twice_leaves_one_record(store: MemoryStore) -> None:
    assert [store.add(PAPER), store.add(PAPER), len(store)] == [1, 0, 1]
    assert store.log.revisions(PAPER.id)[0].read() == PAPER


def test_the_newest_revision_counts_and_the_older_ones_stay(store: MemoryStore) -> None:
    revised = PaperRecord(id="p1", title="Volcanoes", source="v.md", abstract="Lava and ash.", created=DAY.format(9))
    store.add(*ONE_OF_EACH)
    assert store.add(revised) == 1
    assert store.get("p1") == revised and store.all("paper") == [revised] and len(store) == len(ONE_OF_EACH)
    assert [row.read() for row in store.log.revisions("p1")] == [PAPER, revised]
    (hit,) = store.similar("ash of volcanoes", "paper")
    assert hit.record == revised and hit.similarity > 0.4
    assert store.similar(PAPER.text(), "paper")[0].similarity < 0.9


def test_children_are_those_of_the_newest_revision(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    assert [r.id for r in store.children("p1")] == ["s1", "m1", "r1", "o1"]
    assert [r.id for r in store.children("r1")] == ["c1", "o1", "l1"]
    store.add(SectionRecord(id="s1", parents=("p2",), title="Method", beginning="Of another paper.", created=DAY.format(2)))
    assert [r.id for r in store.children("p1")] == ["m1", "r1", "o1"]
    assert [r.id for r in store.children("p2")] == ["s1"]


def test_listings_are_in_the_order_of_time_and_the_last_can_be_asked_for(store: MemoryStore) -> None:
    store.add(*reversed(ONE_OF_EACH))
    assert store.all() == list(ONE_OF_EACH)
    assert store.all(newest=3) == list(ONE_OF_EACH[-3:])
    assert store.all("lesson", newest=3) == [ONE_OF_EACH[7]] and store.all(newest=0) == []


def test_what_was_written_in_the_same_second_is_listed_in_the_order_of_writing(store: MemoryStore) -> None:
    same = papers(range(20, 0, -1), created=DAY.format(1))
    store.add(*same)
    assert store.all("paper") == same and store.all("paper", newest=4) == same[-4:]


def test_forgotten_records_are_gone_and_stay_so(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    assert store.forget(["p1", "l1", "nobody", "l1"], "they were wrong") == 2
    assert store.get("p1") is None and store.similar(PAPER.text(), "paper") == [] == store.all("lesson")
    assert store.log.revisions("p1") == [] and store.vectors("paper", ["p1"]) == {}
    assert store.log.forgotten("l1")[1] == "they were wrong"
    assert store.add(PAPER) == 0 and store.get("p1") is None
    assert [r.id for r in store.children("r1")] == ["c1", "o1"]


def test_merging_leaves_what_changed_here_as_it_is(store: MemoryStore) -> None:
    revised = lesson(1, "negative")
    store.add(lesson(1), PAPER)
    store.add(revised)
    assert store.merge([lesson(1), PAPER, SECTION]) == 1
    assert store.get("l1") == revised and found_by_itself(store, SECTION)


def test_all_are_written_or_none(store: MemoryStore) -> None:
    large = PaperRecord(id="large", title="x", source="", abstract="word " * 60_000)
    with pytest.raises(RecordRefused, match="larger than 256 KiB: keep it as an artifact"):
        store.add(PAPER, large)
    assert len(store) == 0 == store.add()
    assert store.add(PAPER) == 1


def test_an_id_belongs_to_one_kind(store: MemoryStore) -> None:
    store.add(PAPER)
    with pytest.raises(RecordRefused, match="p1 is a paper already, and no section: give it an id of its own"):
        store.add(SectionRecord(id="p1", title="Method", beginning=""))
    assert store.all() == [PAPER]


def test_what_belongs_together_is_listed_together(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    ids = {only: [r.id for r in store.all(only=only)] for only in (Only(dataset="d"), Only(agent="AutoTrain"), Only(topic="f00"))}
    assert list(ids.values()) == [["r1", "c1", "o1", "l1", "w1", "f1"], ["r1", "w1"], ["r1"]]
    assert [r.id for r in store.all("lesson", Only(outcome="negative", task="ctr"))] == ["l1"]
    assert store.all("lesson", Only(outcome="positive")) == [] == store.all("paper", Only(dataset="d"))
    assert isinstance(store.all("lesson")[0], LessonRecord)
