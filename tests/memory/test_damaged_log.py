"""A log that cannot be read is left as it lies, and what to do about it is said in a sentence."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from memory_processes import cheap
from memory_records import ONE_OF_EACH, found_by_itself, papers, vectors_in

from memory import chroma
from memory.errors import MemoryUnusable, RecordRefused
from memory.log import RecordLog


def refused(folder: Path) -> str:
    """What is said of the memory there, a sentence of ours alone."""
    with pytest.raises(MemoryUnusable) as said:
        store = cheap(folder)
        store.all()
        store.add(*papers([1]))
    text = str(said.value)
    assert "\n" not in text and "Traceback" not in text and len(text) < 400 and said.value.__cause__ is None
    return text


@pytest.fixture
def log(tmp_path: Path) -> Path:
    store = cheap(tmp_path)
    store.add(*papers(range(300)))
    store.close()
    chroma.close(store._index._place)
    return tmp_path / "records.sqlite"


def changed(log: Path, statement: str) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as database:
        database.execute(statement)


def test_garbage_is_said_and_left_as_it_is(log: Path) -> None:
    garbage = random.Random(0).randbytes(log.stat().st_size)
    log.write_bytes(garbage)
    said = refused(log.parent)
    assert "is damaged" in said and "move it away" in said and "agenticrs memory import FILE" in said
    assert log.read_bytes() == garbage


@pytest.mark.parametrize("kept", [50, 4096, 0.5, 0.97])
def test_a_truncated_log_is_said(log: Path, kept: float) -> None:
    content = log.read_bytes()
    log.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    assert "is damaged" in refused(log.parent)


def test_garbage_in_the_middle_is_said_when_it_is_read(log: Path) -> None:
    content = bytearray(log.read_bytes())
    middle = slice(8192, len(content) - 8192)
    content[middle] = random.Random(1).randbytes(len(content[middle]))
    log.write_bytes(content)
    assert "is damaged" in refused(log.parent)


def test_after_it_is_moved_away_a_new_one_begins(log: Path) -> None:
    log.write_bytes(b"garbage" * 1000)
    refused(log.parent)
    log.rename(log.with_name("moved"))
    store = cheap(log.parent)
    store.add(*ONE_OF_EACH)
    assert vectors_in(store) == len(ONE_OF_EACH) and all(found_by_itself(store, r) for r in ONE_OF_EACH)


def test_an_empty_file_is_a_new_log(log: Path) -> None:
    log.write_bytes(b"")
    store = cheap(log.parent)
    assert len(store) == 0 == vectors_in(store)
    store.add(*papers([1]))
    assert [hit.record.id for hit in store.similar("bread", "paper")] == ["p1"]


def test_a_file_of_another_program_is_left_alone(log: Path) -> None:
    log.unlink()
    changed(log, "CREATE TABLE bookmarks (url TEXT)")
    before = log.read_bytes()
    assert refused(log.parent) == f"{log} is not a memory of this program: move it away, or name another home"
    assert log.read_bytes() == before


def test_an_empty_database_of_another_program_is_left_alone(log: Path) -> None:
    log.unlink()
    changed(log, "PRAGMA application_id = 1234")
    assert "is not a memory of this program" in refused(log.parent)


def test_a_newer_layout_asks_for_a_newer_program(log: Path) -> None:
    changed(log, "PRAGMA user_version = 999")
    assert refused(log.parent) == f"{log} was written by a newer version of this program: update it"


def test_a_folder_in_its_place_is_said(log: Path) -> None:
    log.unlink()
    log.mkdir()
    assert "see that this user may read and write it and its folder" in refused(log.parent)


def test_a_file_in_the_place_of_the_home_is_said(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    assert "cannot be used" in refused(tmp_path / "home")
    assert "cannot be used" in refused(tmp_path / "home" / "memory")


def test_garbage_in_the_write_ahead_log_hides_nothing_that_was_in_the_log(log: Path) -> None:
    log.with_name("records.sqlite-wal").write_bytes(random.Random(2).randbytes(50_000))
    store = cheap(log.parent)
    assert len(store) == 300 and found_by_itself(store, papers([7])[0])


def test_nothing_changes_or_deletes_what_was_written(log: Path) -> None:
    for statement in (
        "UPDATE records SET body = '{}'",
        "UPDATE records SET id = 'x' WHERE seq = 1",
        "DELETE FROM records",
        "DELETE FROM records WHERE newest = 0 OR seq = 3",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="records are never"):
            changed(log, statement)


def test_a_record_of_a_newer_program_is_passed_over_and_said_when_asked_for(log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as database:
        columns = "id, kind, version, dataset, task, agent, outcome, topic, created, digest, body"
        row = ("p5", "paper", 99, "", "", "", "", "", 1, b"x", '{"id": "p5", "kind": "paper", "smell": 3}')
        database.execute("UPDATE records SET newest = 0 WHERE id = 'p5'")
        database.execute(f"INSERT INTO records ({columns}) VALUES ({', '.join('?' * len(row))})", row)
    store = cheap(log.parent)
    assert len(store) == 300 and len(store.all()) == 299
    with pytest.raises(
        RecordRefused, match=r"a newer program wrote this record \(version 99, this one reads up to 2\): update it"
    ):
        store.get("p5")
    assert "p5" not in {hit.record.id for hit in store.similar("bread", "paper", 300)}


@pytest.mark.parametrize("body", ["", "{", "null", "[]", '{"id": "p5"}', '{"id": "p5", "kind": "smell"}', '"\\ud800"'])
@pytest.mark.parametrize("version", [1, 2])
def test_a_body_that_is_no_record_is_passed_over(log: Path, body: str, version: int) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as database:
        database.execute("DROP TRIGGER append_only")
        database.execute("UPDATE records SET body = ?, version = ? WHERE id = 'p5'", (body, version))
    store = cheap(log.parent)
    assert len(store.all("paper")) == 299 and len(store.similar("bread", "paper", 300)) == 299
    with pytest.raises(RecordRefused, match=f"^not a record of version {version}: ") as said:
        store.get("p5")
    assert "\n" not in str(said.value)


def test_a_memory_under_a_relative_or_linked_path_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    stores = [cheap(folder) for folder in (Path("real"), tmp_path / "real", tmp_path / "link", Path("link"))]
    for number, store in enumerate(stores):
        store.add(*papers([number]))
    for store in stores:
        assert [r.id for r in papers(range(4)) if not found_by_itself(store, r)] == [] and vectors_in(store) == 4


def test_a_memory_that_another_process_replaced_is_read_anew(tmp_path: Path) -> None:
    cheap(tmp_path / "memory").add(*papers([1]))
    shutil.rmtree(tmp_path / "memory")
    store = cheap(tmp_path / "memory")
    store.add(*papers([2]))
    assert [hit.record.id for hit in store.similar("bread", "paper")] == ["p2"]


def test_ids_that_are_no_text_are_refused_in_a_sentence(log: Path) -> None:
    log_ = RecordLog(log)
    for ask in (log_.revisions, log_.children, log_.forgotten, lambda x: log_.rows([x]), lambda x: log_.forget([x], "")):
        with pytest.raises(RecordRefused, match="a record's id is text, and this is none"):
            ask("\ud800")
