"""The words of records: rare ones find what has them, old revisions and the forgotten are gone, and older logs get them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from memory.embeddings import WordEmbeddings
from memory.log import RecordLog
from memory.narrowing import Only
from memory.records import PaperRecord, SectionRecord
from memory.retrieval import find
from memory.store import MemoryStore
from memory.words import AS_MANY, READ_FOR_A_QUERY


def paper(name: str, abstract: str, dataset: str = "") -> PaperRecord:
    return PaperRecord(id=name, title="Paper", source="", abstract=abstract, dataset=dataset)


@pytest.fixture
def log(tmp_path: Path) -> RecordLog:
    log = RecordLog(tmp_path / "records.sqlite")
    log.append(
        [paper("a", "quantised embedding tables", "d"), paper("b", "random walks on tables"), paper("c", "gates of experts")]
    )
    log.append([SectionRecord(id="s", title="Part", beginning="walking on graphs")])
    return log


def found(log: RecordLog, text: str, only: Only | None = None) -> list[str]:
    return [name for name, _, _ in log.worded(text, ("paper",), 9, only or Only())]


def test_the_rarest_word_counts_most(log: RecordLog) -> None:
    assert found(log, "quantised tables") == ["a", "b"]
    assert found(log, "walks and tables") == ["b", "a"]


def test_words_are_found_in_other_forms(log: RecordLog) -> None:
    assert found(log, "quantise an EMBEDDING") == ["a"]


def test_kinds_and_conditions_hold(log: RecordLog) -> None:
    assert {name for name, _, _ in log.worded("walks", ("paper", "section"), 9)} == {"b", "s"}
    assert found(log, "tables", Only(dataset="d")) == ["a"]


@pytest.mark.parametrize(
    "text", ["", "the of and", "qzxq", '"', "a OR b", 'x" OR "tables', "NEAR(a b)", "words:", "\0", "-*^():", "中文"]
)
def test_any_text_is_a_question(log: RecordLog, text: str) -> None:
    assert set(found(log, text)) <= {"a", "b"}


def test_shares_stay_in_bounds_for_a_question(log: RecordLog) -> None:
    for text in ("tables", "quantised embedding tables", "experts walks"):
        assert all(0 <= share <= 1 for _, _, share in log.worded(text, ("paper", "section"), 9))


def test_a_long_text_weighs_as_a_question_does(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "records.sqlite")
    words = [f"w{i}" for i in range(100)]
    log.append([paper("whole", " ".join(words)), *(paper(f"p{i}", f"other{i}") for i in range(200))])
    (_, _, whole), (_, _, question) = (log.worded(" ".join(text), ("paper",), 1)[0] for text in (words, words[:AS_MANY]))
    assert whole > question > 0


def test_old_revisions_are_not_found(log: RecordLog) -> None:
    log.append([paper("a", "something else")])
    assert found(log, "quantised") == []
    assert found(log, "something") == ["a"]


def test_the_forgotten_are_in_no_file(tmp_path: Path, log: RecordLog) -> None:
    log.append([paper("x", "zzsecretzz")])
    log.append([paper("x", "zzsecretzz and zzanotherzz")])
    log.forget(["x"], "asked")
    assert found(log, "zzsecretzz") == []
    assert not [f for f in tmp_path.iterdir() if any(w in f.read_bytes() for w in (b"zzsecret", b"zzanother"))]


def test_words_that_all_have_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert READ_FOR_A_QUERY >= 1000
    monkeypatch.setattr("memory.words.READ_FOR_A_QUERY", 10)
    log = RecordLog(tmp_path / "records.sqlite")
    log.append([paper(f"p{i}", f"common word{i}") for i in range(30)])
    assert found(log, "common word7") == ["p7"]
    assert found(log, "common") == []


def test_the_store_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    store = MemoryStore(tmp_path, WordEmbeddings())
    store.add(paper("a", "tables"), paper("b", "tables"))
    with sqlite3.connect(tmp_path / "records.sqlite") as database:
        database.execute("DROP TRIGGER append_only")
        database.execute("UPDATE records SET version = 99 WHERE id = 'a'")
    database.close()
    assert [f.record.id for f in find(store, "tables", "paper")] == ["b"]
