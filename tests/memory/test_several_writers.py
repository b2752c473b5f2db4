"""Processes and threads that write one memory at once lose nothing, and each finds what the others wrote."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from memory_processes import begun, cheap, ended, lines, write
from memory_records import Letters, found_by_itself, papers, vectors_in

from memory.store import MemoryStore

WRITERS, BATCHES, SIZE = 3, 8, 45  # together more than Chroma keeps out of its files


def test_what_processes_write_at_once_is_found_by_all(tmp_path: Path, address: str) -> None:
    folder, before = tmp_path / "memory", papers(range(9000, 9010))
    reader = cheap(folder, address)
    reader.add(*before)
    writers = [
        begun(write, folder, tmp_path / f"said-{i}", i * 1000, BATCHES, SIZE, address) for i in range(WRITERS)
    ]  # fmt: skip
    while any(writer.is_alive() for writer in writers):
        assert all(found_by_itself(reader, record) for record in before[:2])
        names = [name for i in range(WRITERS) for name in lines(tmp_path / f"said-{i}") if name.startswith("p")]
        for record in filter(None, map(reader.get, names[-2:])):
            assert found_by_itself(reader, record)
    assert ended(*writers) == [0] * WRITERS
    records = before + papers(i * 1000 + j for i in range(WRITERS) for j in range(BATCHES * SIZE))
    for store in (reader, cheap(folder, address)):
        assert {r.id: r for r in store.all()} == {r.id: r for r in records}
        assert [r.id for r in records[::5] if not found_by_itself(store, r)] == []
        assert vectors_in(store) == len(store) == len(records)


def test_processes_that_write_at_once_make_nothing_anew(tmp_path: Path) -> None:
    """Each text is embedded by one of them, once."""
    writers = [begun(write_and_count, tmp_path / "memory", tmp_path / f"said-{i}", i * 1000) for i in range(WRITERS)]
    assert ended(*writers) == [0] * WRITERS
    embedded = [name for i in range(WRITERS) for name in lines(tmp_path / f"said-{i}")]
    assert sum(map(int, embedded)) == WRITERS * BATCHES * SIZE


def write_and_count(folder: Path, file: Path, start: int) -> None:
    embeddings = Letters()
    store = MemoryStore(folder, embeddings)
    for first in range(start, start + BATCHES * SIZE, SIZE):
        store.add(*papers(range(first, first + SIZE)))
    file.write_text(str(len(embeddings.given)))


def test_threads_write_one_store_at_once(tmp_path: Path, address: str) -> None:
    store = cheap(tmp_path, address)
    in_threads([lambda n=n: [store.add(*papers(range(n * 100 + i, n * 100 + i + 5))) for i in range(0, 50, 5)] for n in range(4)])
    records = papers(n * 100 + i for n in range(4) for i in range(50))
    assert all(found_by_itself(store, record) for record in records) and vectors_in(store) == len(records)


def test_threads_with_stores_of_their_own_write_one_folder(tmp_path: Path, address: str) -> None:
    def work(n: int) -> None:
        store = cheap(tmp_path, address)
        for i in range(0, 50, 5):
            store.add(*papers(range(n * 100 + i, n * 100 + i + 5)))
            assert found_by_itself(store, papers([n * 100 + i])[0])
        store.close()

    in_threads([lambda n=n: work(n) for n in range(4)])
    store = cheap(tmp_path, address)
    assert len(store) == vectors_in(store) == 200


@pytest.mark.parametrize("round", range(5))
def test_all_who_begin_at_once_open_one_new_memory(tmp_path: Path, round: int) -> None:
    together, ids = threading.Barrier(8), []

    def open_it() -> None:
        together.wait()
        ids.append(cheap(tmp_path / "new").log.id)

    in_threads([open_it] * 8)
    assert len(ids) == 8 and len(set(ids)) == 1


def test_processes_that_begin_at_once_open_one_new_memory(tmp_path: Path) -> None:
    writers = [begun(write, tmp_path / "new", tmp_path / f"said-{i}", i * 100, 1, 1) for i in range(4)]
    assert ended(*writers) == [0] * 4
    assert len(cheap(tmp_path / "new")) == 4


def test_a_record_that_comes_while_another_is_embedded_is_found_as_well(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = papers([1, 2])
    store, other = cheap(tmp_path, address), cheap(tmp_path, address)
    noted = store.log.set_indexed

    def interrupted(*state: object) -> None:
        other.log.append([second])
        noted(*state)  # type: ignore[arg-type]

    monkeypatch.setattr(store.log, "set_indexed", interrupted)
    store.add(first)
    assert found_by_itself(store, first) and found_by_itself(store, second)
    assert found_by_itself(cheap(tmp_path, address), second)


def test_what_another_process_made_anew_is_not_made_anew_again(
    tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    records = papers(range(20))
    one, other = cheap(tmp_path, address), cheap(tmp_path, address)
    one.add(*records)
    other.add(*papers(range(20, 25)))
    one._index._make_anew()
    with caplog.at_level(logging.INFO, "memory.following"):
        assert all(found_by_itself(other, record) for record in records)
        one.add(*papers(range(25, 30)))
    assert caplog.messages == []


def in_threads(functions: list) -> None:
    """Runs them at the same time. What one raises is raised."""
    faults: list[BaseException] = []

    def guarded(function) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - raised below
            faults.append(error)

    threads = [threading.Thread(target=guarded, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    for fault in faults:
        raise fault
