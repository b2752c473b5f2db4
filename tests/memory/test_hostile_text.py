"""Whatever text a record is made of, it is kept as it is or refused in a sentence, and it commands nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from memory_processes import cheap
from memory_records import ONE_OF_EACH, found_by_itself, said, vectors_in
from pydantic import ValidationError

from memory.embeddings import WordEmbeddings
from memory.errors import RecordRefused
from memory.narrowing import Only
from memory.records import PaperRecord
from memory.store import MemoryStore
from memory.transfer import exported, imported

TEXTS = {
    "empty": "",
    "NUL": "a\0b\0",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85\u2028\u2029",
    "right to left": "\u202eabc\u202c שלום مرحبا \u2066x\u2069",
    "zero width": "\u200b\u200c\u200d\ufeff\u2060",
    "many marks": "Z" + "\u0301\u0327\u0489" * 500,
    "other planes": "😀𝕏𠜎\U0010ffff\ufffe\uffff",
    "SQL": "'; DROP TABLE records; -- \" OR 1=1 /* ? ?1 :a @b $c",
    "operators": '{"$and": [{"$ne": 1}], "$or": []} $and $eq $gte $contains #document chroma:document',
    "templates": "{0} {} %s %(x)s {{7*7}} ${jndi:ldap://x}",
    "JSON": '"},{"kind":"lesson","\\ud800',
    "long": "word " * 40_000,
    "one long word": "x" * 200_000,
}


def test_it_comes_back_as_it_went_in(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    for name, text in TEXTS.items():
        facet = text[:5000]
        record = PaperRecord(
            id=name,
            title=text,
            source=facet,
            abstract="",
            dataset=facet,
            task=facet,
            agent=facet,
            parents=(facet,),
            created="2026-05-01",
        )
        assert store.add(record) == 1, name
        assert store.get(name) == record and record in store.all("paper"), name
        assert store.children(facet) == [record], name
        only = Only(dataset=facet, task=facet, agent=facet)
        assert record in store.all("paper", only), name
        for narrowed in (Only(), only):
            hits = store.similar(record.text(), "paper", 5, narrowed)
            assert record in [hit.record for hit in hits] and all(-1.001 <= hit.similarity <= 1.001 for hit in hits), name
    written = store.all()
    assert {r.id for r in imported(exported(store.log))} == {r.id for r in written} and len(written) == len(
        (*ONE_OF_EACH, *TEXTS)
    )
    assert store.forget(list(TEXTS), TEXTS["operators"]) == len(TEXTS)
    assert vectors_in(store) == len(store) == len(ONE_OF_EACH)


IDS = [
    "a\nb",
    "$and",
    "'; DROP TABLE records; --",
    "\0",
    " ",
    "../../etc/passwd",
    "\u202e",
    "😀",
    "x" * 200,
    "{}",
    "p1/p2",
    "\ufeff",
]


def test_an_id_may_be_any_short_text(store: MemoryStore) -> None:
    store.add(*ONE_OF_EACH)
    records = [PaperRecord(id=name, title=said(n), source="", abstract="", parents=(name,)) for n, name in enumerate(IDS)]
    store.add(*records)
    for name, record in zip(IDS, records, strict=True):
        assert store.get(name) == record and store.children(name) == [record], name
        assert set(store.vectors("paper", [name])) == {name} and found_by_itself(store, record), name
        assert store.forget([name], name) == 1 and store.log.forgotten(name)[1] == name
    assert store.all() == list(ONE_OF_EACH) and vectors_in(store) == len(ONE_OF_EACH)


@pytest.mark.parametrize("name", ["", "x" * 201, "\ud800"])
def test_an_id_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        PaperRecord(id=name, title="", source="", abstract="")


@pytest.mark.parametrize("field", ["title", "dataset", "parents", "mlflow_run"])
def test_half_a_character_is_refused_and_nothing_written(field: str, tmp_path: Path) -> None:
    store = cheap(tmp_path)
    half = ("\ud800",) if field == "parents" else "a\ud800b"
    with pytest.raises(RecordRefused, match=r"^record p holds what is not text$"):
        store.add(ONE_OF_EACH[0], PaperRecord(**({"id": "p", "title": "", "source": "", "abstract": ""} | {field: half})))
    assert len(store) == 0


def test_half_a_character_may_be_looked_for(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    store.add(*ONE_OF_EACH)
    assert [hit.record.id for hit in store.similar("features \ud800", "paper")] == ["p1"]
    only = Only(dataset="\udcff", task="\ud800")
    assert store.similar("x", "lesson", 5, only) == [] == store.all(only=only)
    for ask in (store.get, store.children, lambda name: store.forget([name], "")):
        with pytest.raises(RecordRefused, match=r"^a record's id is text, and this is none$"):
            ask("\ud800")


def test_a_record_may_be_as_large_as_promised_and_no_larger(store: MemoryStore) -> None:
    def of(size: int) -> PaperRecord:
        empty = PaperRecord(id="p", title="", source="", abstract="", created="2026-05-01")
        return empty.model_copy(update={"abstract": "é" * ((size - len(empty.model_dump_json())) // 2)})

    assert store.add(of(256 * 1024)) == 1
    with pytest.raises(RecordRefused, match=r"^record p is larger than 256 KiB: keep it as an artifact$"):
        store.add(of(256 * 1024 + 2))
    assert store.get("p") == of(256 * 1024)


@pytest.mark.parametrize("time", ["yesterday", "", "2026-13-01", "2026-05-01T25:00", "１２"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with pytest.raises(ValidationError):
        PaperRecord(id="p", title="", source="", abstract="", created=time)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-05-01", "20260501T101112Z"])
def test_any_time_is_kept(time: str, store: MemoryStore) -> None:
    record = PaperRecord(id="p", title="bread", source="", abstract="", created=time)
    store.add(record)
    assert store.get("p") == record and found_by_itself(store, record)
    assert store.all(only=Only(since=time)) == [record] == [h.record for h in store.similar("x", "paper", 5, Only(since=time))]
    assert store.all(only=Only(until=time)) == []


def test_nothing_is_said_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    store.add(*(PaperRecord(id=f"p{n}", title=text, source="", abstract="") for n, text in enumerate(TEXTS.values())))
    store.similar("", "paper", 10**6)
    assert capfd.readouterr() == ("", "")
