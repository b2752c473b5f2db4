"""An index that is damaged, lost or another's is made anew from the log, and whoever asks gets what was asked for."""

from __future__ import annotations

import logging
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from memory_processes import begun, cheap, ended
from memory_records import Letters, found_by_itself, papers, vectors_in

from memory import chroma
from memory.errors import MemoryUnusable
from memory.records import AnyRecord
from memory.store import MemoryStore

MANY = 1100  # more than Chroma keeps out of the files of its graph


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "memory"
    store = cheap(folder)
    store.add(*papers(range(MANY)))
    store.close()
    chroma.close(store._index._place)
    return folder


def nothing_is_missing(folder: Path) -> None:
    """In a process of its own: what reads a damaged graph may not survive it."""
    store = cheap(folder)
    assert all(found_by_itself(store, record) for record in papers(range(0, MANY, 10)))
    store.add(*papers([MANY]))
    assert vectors_in(store) == len(store) == MANY + 1
    assert all(found_by_itself(store, record) for record in papers(range(5, MANY + 1, 15)))
    os._exit(0)


def damaged(file: Path, how: str) -> None:
    content, draw = file.read_bytes(), random.Random(how)
    if how == "deleted":
        file.unlink()
        return
    some = bytearray(content)
    for _ in range(60):
        some[draw.randrange(len(some))] ^= 1 + draw.randrange(255)
    changed = {
        "garbage": draw.randbytes(len(content)),
        "some bytes": bytes(some),
        "halved": content[: len(content) // 2],
        "zeros": bytes(len(content)),
    }
    file.write_bytes(changed[how])


DAMAGES = (
    *((name, "garbage") for name in ("chroma.sqlite3", "data_level0.bin", "link_lists.bin", "header.bin", "length.bin")),
    *(("chroma.sqlite3", how) for how in ("some bytes", "halved", "deleted")),
    *(("data_level0.bin", how) for how in ("some bytes", "halved")),
    ("link_lists.bin", "zeros"),
    ("header.bin", "halved"),
    ("index_metadata.pickle", "deleted"),
)


@pytest.mark.parametrize(("name", "how"), DAMAGES)
def test_a_damaged_file_is_noticed_and_the_index_made_anew(name: str, how: str, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "memory")
    (file,) = (tmp_path / "memory" / "index").rglob(name)
    damaged(file, how)
    assert ended(begun(nothing_is_missing, tmp_path / "memory")) == [0]


@pytest.mark.parametrize("part", ["index", "index/letters"])
@pytest.mark.parametrize("first", ["asks", "adds"])
def test_a_deleted_index_is_made_anew(part: str, first: str, tmp_path: Path) -> None:
    before, after = papers(range(50)), papers(range(50, 55))
    cheap(tmp_path).add(*before)
    chroma.close((tmp_path / "index" / "letters").resolve())
    shutil.rmtree(tmp_path / part)
    store = cheap(tmp_path)
    if first == "adds":
        store.add(*after)
    assert all(found_by_itself(store, record) for record in before)
    store.add(*after)
    assert all(found_by_itself(store, record) for record in before + after) and vectors_in(store) == 55


def test_an_index_that_is_deleted_while_it_is_in_use_is_made_anew_for_the_next(tmp_path: Path) -> None:
    records = papers(range(50))
    store = cheap(tmp_path)
    store.add(*records)
    shutil.rmtree(tmp_path / "index")
    store.add(*papers(range(50, 55)))
    for again in (store, cheap(tmp_path)):
        assert all(found_by_itself(again, record) for record in records + papers(range(50, 55)))


def test_records_are_embedded_again_only_where_the_index_is_damaged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(4):
        embeddings = Letters()
        store = MemoryStore(tmp_path, embeddings)
        with caplog.at_level(logging.INFO, "memory.following"):
            store.add(*papers(range(number * 400, number * 400 + 400)))
            assert vectors_in(store) == (number + 1) * 400
        chroma.close(store._index._place)
        assert len(embeddings.given) == 400
    assert caplog.messages == []


def test_a_memory_that_is_copied_needs_nothing_anew(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "copy")
    embeddings = Letters()
    store = MemoryStore(tmp_path / "copy", embeddings)
    assert vectors_in(store) == MANY and embeddings.given == []


@pytest.mark.parametrize("lost", ["index", "records.sqlite"])
def test_an_index_of_another_log_is_not_believed(lost: str, tmp_path: Path) -> None:
    own, others = papers(range(40)), papers(range(100, 140))
    for folder, records in ((tmp_path / "one", own), (tmp_path / "other", others)):
        store = cheap(folder)
        store.add(*records)
        store.close()
        chroma.close(store._index._place)
    remove(tmp_path / "one" / lost)
    shutil.move(tmp_path / "other" / lost, tmp_path / "one" / lost)
    store = cheap(tmp_path / "one")
    there: list[AnyRecord] = own if lost == "index" else others
    assert store.all() == there and vectors_in(store) == 40
    assert all(found_by_itself(store, record) for record in there)


def test_a_log_that_was_brought_back_gets_an_index_of_its_own(tmp_path: Path) -> None:
    """An older copy of the log beside an index that has gone on."""
    store = cheap(tmp_path)
    store.add(*papers(range(30)))
    store.close()
    shutil.copy(tmp_path / "records.sqlite", tmp_path / "backup")
    store = cheap(tmp_path)
    store.add(*papers(range(30, 60)))
    store.close()
    shutil.move(tmp_path / "backup", tmp_path / "records.sqlite")
    store = cheap(tmp_path)
    assert vectors_in(store) == len(store) == 30
    assert {h.record.id for h in store.similar("bread", "paper", 60)} == {f"p{n}" for n in range(30)}


def test_what_cannot_be_made_anew_is_said_in_a_sentence(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(*papers(range(3)))
    chroma.close(store._index._place)
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "index").write_text("a file")
    with pytest.raises(MemoryUnusable, match=r"^the index .* no record is lost$") as said:
        cheap(tmp_path).similar("bread", "paper")
    assert "can be written and has space" in str(said.value) and "\n" not in str(said.value)
    assert cheap(tmp_path).all() == papers(range(3))


def test_an_index_that_cannot_be_written_is_said_and_records_are_read(tmp_path: Path) -> None:
    store = cheap(tmp_path)
    store.add(*papers(range(3)))
    chroma.close(store._index._place)
    with read_only(tmp_path / "index"):
        store = cheap(tmp_path)
        with pytest.raises(MemoryUnusable, match=r"^the index .* no record is lost$"):
            store.add(*papers([4]))
        assert store.all() == papers([0, 1, 2, 4]) and store.get("p4")
    assert all(found_by_itself(cheap(tmp_path), record) for record in papers([0, 1, 2, 4]))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Also for root, to whom permissions mean nothing."""
    bind = ["mount", "--bind", str(folder), str(folder)]
    if subprocess.run(bind, capture_output=True).returncode != 0:
        pytest.skip("no folder can be made read-only here: that needs mount")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield
    finally:
        for place in list(chroma._clients):
            chroma.close(place)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
