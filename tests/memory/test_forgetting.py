"""What is forgotten is in no file of the memory any more, whoever else uses it; its id, the time and the reason stay."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from attacks import everything_in
from command import ROOT
from memory_processes import begun, cheap, ended
from memory_records import Letters, found_by_itself, papers, vectors_in

from memory import chroma
from memory.errors import MemoryUnusable
from memory.records import LessonRecord, PaperRecord
from memory.store import MemoryStore

SECRET = b"xylophonists-quarterly-ledger"
TRACES = (SECRET, b"xylophon")  # the words of records lie apart as well, without their endings
KEPT = PaperRecord(id="kept", title="Kept", source="k.md", abstract="this one stays")


def secret(number: int, size: int = 0) -> PaperRecord:
    text = f"{SECRET.decode()} {number}"
    return PaperRecord(id=f"s{number}", title=text, source=text, abstract=f"{text} {'filling ' * size}", created="2026-05-01")


def lesson() -> LessonRecord:
    said = SECRET.decode()
    return LessonRecord(
        id="l1", parents=("s1",), subject=said, claim=said, polarity="negative", reason=said, evidence=("r1",), dataset=said
    )


def places(folder: Path) -> list[str]:
    """The files that hold the secret, or a word of it."""
    return [name for name, content in everything_in(folder).items() if any(trace in content for trace in TRACES)]


def test_what_is_forgotten_is_in_no_file(tmp_path: Path, address: str) -> None:
    folder = tmp_path / "memory"
    store = cheap(folder, address)
    store.add(KEPT, *(secret(n, size) for n, size in enumerate([0, 10, 1000, 20_000])))
    store.add(secret(1, 2000))  # a revision
    assert places(folder)
    assert store.forget([f"s{n}" for n in range(4)], "it was private") == 4
    assert places(folder) == []
    assert store.all() == [KEPT] and vectors_in(store) == 1
    at, why = store.log.forgotten("s2")
    assert at.endswith("+00:00") and why == "it was private"
    store.close()
    assert places(folder) == []


def test_what_a_lesson_was_about_is_in_no_file(tmp_path: Path) -> None:
    """Its data set stood beside its vector as well."""
    store = cheap(tmp_path)
    store.add(KEPT, lesson())
    store.forget(["l1"], "private")
    assert places(tmp_path) == []


def test_it_stays_away_when_written_or_merged_again(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(KEPT, secret(1))
    store.forget(["s1"], "private")
    assert store.add(secret(1), secret(1, 5)) == 0 == store.merge([secret(1)])
    assert places(tmp_path) == [] and store.all() == [KEPT]
    assert cheap(tmp_path).get("s1") is None and found_by_itself(store, KEPT)


def test_it_is_gone_while_another_process_has_the_memory_open(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    store = cheap(folder)
    store.add(KEPT, *(secret(n) for n in range(20)))
    assert ended(begun(forget_all, folder, 20)) == [0]
    assert places(folder) == []
    assert store.all() == [KEPT]
    assert [hit.record.id for hit in store.similar(secret(3).text(), "paper")] == ["kept"] and vectors_in(store) == 1


def forget_all(folder: Path, number: int) -> None:
    cheap(folder).forget([f"s{n}" for n in range(number)], "private")


def test_it_is_said_where_another_process_keeps_the_text_from_going(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(KEPT, secret(1))
    with closing(sqlite3.connect(tmp_path / "records.sqlite", isolation_level=None)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM records").fetchone()
        store.log._db.execute("PRAGMA busy_timeout = 100")
        with pytest.raises(MemoryUnusable, match=r"it is forgotten, but its text stays in .*-wal until the other processes"):
            store.forget(["s1"], "private")
    assert store.get("s1") is None and vectors_in(store) == 1
    store.close()
    assert places(tmp_path) == []


def test_every_index_forgets_it(tmp_path: Path) -> None:
    """Also that of an embedding which was used before, when it is used again."""
    one, other = MemoryStore(tmp_path, Letters("one")), MemoryStore(tmp_path, Letters("other"))
    for store in (one, other):
        store.add(*papers(range(20)), secret(1))
        store.similar("bread", "paper")
    one.forget(["s1", "p3"], "private")
    hits = other.similar(secret(1).text(), "paper", 19)
    assert len(hits) == 19 and not {"s1", "p3"} & {hit.record.id for hit in hits}
    assert vectors_in(one) == vectors_in(other) == 19
    assert len([text for text in other._embeddings.given if text.startswith(SECRET.decode())]) == 2  # once, and a question


def test_the_files_of_the_first_version_go_with_it(tmp_path: Path) -> None:
    (tmp_path / "first-version").mkdir()
    (tmp_path / "first-version" / "chroma.sqlite3").write_bytes(SECRET)
    store = cheap(tmp_path)
    store.add(KEPT)
    store.forget(["nobody"], "a copy of it lies there")
    assert places(tmp_path) == []


def test_thousands_are_forgotten_at_once(tmp_path: Path, address: str) -> None:
    store = cheap(tmp_path, address)
    records = papers(range(3000))
    store.add(*records)
    assert store.forget([r.id for r in records[:2500]], "too many") == 2500
    assert vectors_in(store) == len(store) == 500
    assert all(found_by_itself(store, record) for record in records[2500::10])


def test_the_temporary_files_of_sqlite_hold_no_text(tmp_path: Path) -> None:
    """Another process writes and forgets; what it leaves anywhere below its home is looked through."""
    code = """
import sys
from pathlib import Path
from memory_processes import cheap
from memory.records import PaperRecord
store = cheap(Path(sys.argv[1]) / "memory")
store.add(*(PaperRecord(id=f"s{n}", title=sys.argv[2], source="", abstract="word " * 9000) for n in range(40)))
store.forget([f"s{n}" for n in range(40)], "private")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), SECRET.decode()],
        env={"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert places(tmp_path) == [] and (tmp_path / "memory" / "records.sqlite").exists()


def test_a_copy_of_the_folder_made_afterwards_holds_nothing(tmp_path: Path) -> None:
    store = cheap(tmp_path / "memory")
    store.add(KEPT, secret(1))
    store.forget(["s1"], "private")
    chroma.close(store._index._place)
    shutil.copytree(tmp_path / "memory", tmp_path / "copy")
    assert places(tmp_path / "copy") == [] and cheap(tmp_path / "copy").all() == [KEPT]
