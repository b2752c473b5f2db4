"""What the first version of the memory kept, records inside Chroma's own file, is moved in whole, once, and stays as it was."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from memory_processes import begun, cheap, ended, killed, say
from memory_records import Letters, found_by_itself, said, vectors_in

from memory import chroma
from memory.errors import MemoryUnusable
from memory.first_store import FOLDER
from memory.narrowing import Only
from memory.store import MemoryStore

LESSON = {
    "id": "l1",
    "created": "2026-01-02T00:00:00+00:00",
    "parents": ["r1"],
    "mlflow_run": "m1",
    "kind": "lesson",
    "claim": "a model with fm against dcnv2: worse",
    "polarity": "negative",
    "scope": "clicks, small, ctr",
    "reason": "AUC fell",
    "evidence": ["r1"],
}


def paper(number: int, abstract: str = "") -> dict[str, object]:
    return {
        "id": f"p{number}",
        "created": "2026-01-01T00:00:00+00:00",
        "parents": [],
        "mlflow_run": "",
        "kind": "paper",
        "title": said(number),
        "source": "a.md",
        "abstract": abstract,
    }


def first_store(folder: Path, records: list[dict[str, object]], space: str = "wordllama-256") -> None:
    """As the first version wrote it."""
    collection = chroma.in_folder(folder).get_or_create_collection(
        f"records-{space}", embedding_function=None, metadata={"hnsw:space": "cosine"}
    )
    texts = [str(record.get("title", record.get("claim", ""))) for record in records]
    collection.upsert(
        ids=[str(record["id"]) for record in records],
        embeddings=[[1.0, float(len(text)), 2.0] for text in texts],
        documents=texts,
        metadatas=[{"kind": str(record["kind"]), "json": json.dumps(record)} for record in records],
    )
    chroma.close(folder)


def test_its_records_are_moved_in_and_its_files_kept(tmp_path: Path) -> None:
    first_store(tmp_path, [paper(1), paper(2), LESSON])
    store = cheap(tmp_path)
    assert [r.id for r in store.all()] == ["p1", "p2", "l1"]
    assert all(found_by_itself(store, record) for record in store.all())
    kept = {path.name for path in (tmp_path / FOLDER).iterdir()}
    assert "chroma.sqlite3" in kept and len(kept) == 2  # and the folder of the graph
    assert {path.name for path in tmp_path.iterdir()} == {FOLDER, "index", "index.lock", "records.lock", *logs(tmp_path)}
    store.close()
    again = cheap(tmp_path)
    assert len(again) == 3 == vectors_in(again)


def test_a_lesson_says_what_it_is_about_in_todays_words(tmp_path: Path) -> None:
    first_store(tmp_path, [LESSON, LESSON | {"id": "l2", "claim": "without fm the model was worse", "scope": "clicks"}])
    store = cheap(tmp_path)
    lesson, other = store.all("lesson")
    assert (lesson.subject, lesson.dataset, lesson.task) == ("a model with fm against dcnv2", "clicks, small", "ctr")
    assert (other.subject, other.dataset, other.task) == ("without fm", "", "clicks")
    assert lesson.reason == "AUC fell" and lesson.mlflow_run == "m1" and lesson.data_hash == ""
    assert [r.id for r in store.all(only=Only(dataset="clicks, small"))] == ["l1"] == [r.id for r in store.children("r1")][:1]


def test_records_of_two_embeddings_are_moved_in_once(tmp_path: Path) -> None:
    first_store(tmp_path, [paper(1), paper(2)])
    first_store(tmp_path, [paper(2), paper(3)], "openai-small")
    store = cheap(tmp_path)
    assert [r.id for r in store.all()] == ["p1", "p2", "p3"]
    assert [len(store.log.revisions(f"p{n}")) for n in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.parametrize("body", ["", "{", '{"id": "x", "kind": "smell"}', "[]", "null"])
def test_what_is_no_record_stays_in_the_kept_files(tmp_path: Path, body: str) -> None:
    first_store(tmp_path, [paper(1), paper(2)])
    with closing(sqlite3.connect(tmp_path / "chroma.sqlite3", isolation_level=None)) as database:
        database.execute("UPDATE embedding_metadata SET string_value = ? WHERE key = 'json' AND id = 1", (body,))
    assert [r.id for r in cheap(tmp_path).all()] == ["p2"]


def test_a_record_that_is_too_large_today_hides_no_other(tmp_path: Path) -> None:
    first_store(tmp_path, [paper(1), paper(2, "word " * 60_000), paper(3)])
    assert [r.id for r in cheap(tmp_path).all()] == ["p1", "p3"]


def test_a_metric_that_is_no_number_comes_back_as_one(tmp_path: Path) -> None:
    """The first version wrote `null` for it, and could not read that again."""
    outcome = {"id": "o1", "created": "2026-01-01", "kind": "outcome", "status": "done", "reason": "x", "metrics": {"auc": None}}
    first_store(tmp_path, [outcome])
    (record,) = cheap(tmp_path).all("outcome")
    assert str(record.metrics["auc"]) == "nan"


def test_an_empty_one_is_moved_as_well(tmp_path: Path) -> None:
    chroma.in_folder(tmp_path)
    chroma.close(tmp_path)
    assert len(cheap(tmp_path)) == 0 and (tmp_path / FOLDER / "chroma.sqlite3").exists()


@pytest.mark.parametrize("content", [b"garbage" * 5000, b""], ids=["garbage", "empty"])
def test_one_that_cannot_be_read_is_said_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(content)
    with pytest.raises(MemoryUnusable, match=r"a memory of the first version, cannot be read \(.*\): move it away") as error:
        cheap(tmp_path)
    assert "\n" not in str(error.value)
    assert (tmp_path / "chroma.sqlite3").read_bytes() == content
    (tmp_path / "chroma.sqlite3").unlink()
    assert len(cheap(tmp_path)) == 0


def test_processes_that_begin_at_once_move_it_once(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    first_store(folder, [paper(n) for n in range(300)])
    processes = [begun(open_it, folder, tmp_path / f"said-{i}") for i in range(4)]
    assert ended(*processes) == [0] * 4
    store = cheap(folder)
    assert len(store) == vectors_in(store) == 300 and len(store.log.written(0, 1000)) == 300


def test_killed_while_it_is_moved_it_is_moved_the_next_time(tmp_path: Path) -> None:
    draw = random.Random(4)
    first_store(tmp_path / "first", [paper(n) for n in range(1500)])
    for number in range(5):
        folder, file = tmp_path / f"memory-{number}", tmp_path / f"said-{number}"
        shutil.copytree(tmp_path / "first", folder)
        killed(begun(open_it, folder, file), file, draw, 0.2)
        store = cheap(folder)
        assert len(store) == vectors_in(store) == 1500 and len(store.log.written(0, 3000)) == 1500
        assert (folder / FOLDER / "chroma.sqlite3").exists() and not (folder / "chroma.sqlite3").exists()


def open_it(folder: Path, file: Path) -> None:
    say(file, "begun")
    MemoryStore(folder, Letters()).similar("bread", "paper")


def logs(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("records.sqlite*")}
