"""A disk that is full loses nothing that was written before, and when there is space again the memory goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from memory_processes import cheap
from memory_records import Letters, found_by_itself, papers, vectors_in

from memory import chroma
from memory.errors import MemoryUnusable
from memory.records import AnyRecord, PaperRecord
from memory.store import MemoryStore


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 megabytes, 11 of which a file takes that can be removed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(disk)], capture_output=True).returncode != 0:
        pytest.skip("a small disk cannot be mounted here: that needs root")
    (disk / "filler").write_bytes(bytes(11 << 20))
    yield disk
    for place in list(chroma._clients):
        chroma.close(place)
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def large(number: int, size: int) -> AnyRecord:
    """A record that is found by itself, with so many bytes that are not."""
    return PaperRecord(**(papers([number])[0].model_dump() | {"mlflow_run": "x" * size}))


def filled(store: MemoryStore, size: int) -> tuple[list[AnyRecord], str]:
    """Writes until it cannot; what was promised, and what was said."""
    promised: list[AnyRecord] = []
    for number in range(0, 100_000, 30):
        records = [large(n, size) for n in range(number, number + 30)]
        try:
            store.add(*records)
        except MemoryUnusable as error:
            return promised, str(error)
        promised += records
    raise AssertionError("the disk was not small")


@pytest.mark.parametrize("size", [100, 30_000], ids=["the index is full first", "the log is full first"])
def test_what_was_written_before_stays_and_is_found(small: Path, size: int) -> None:
    store = cheap(small / "memory")
    promised, said = filled(store, size)
    assert promised and "\n" not in said and ("free some space" in said or "has space" in said)
    for _ in range(3):  # a command that is repeated
        with pytest.raises(MemoryUnusable):
            store.add(*[large(n, 30_000) for n in range(200_000, 200_040)])
    assert {r.id for r in promised} <= {r.id for r in store.all()}
    (small / "filler").unlink()
    store.add(*papers(range(300_000, 300_005)))
    for again in (store, MemoryStore(small / "memory", Letters())):
        assert {r.id for r in promised} <= {r.id for r in again.all()}
        assert vectors_in(again) == len(again)
        assert [r.id for r in [*promised, *papers(range(300_000, 300_005))] if not found_by_itself(again, r)] == []


def test_a_new_memory_on_a_full_disk_is_said(small: Path) -> None:
    (small / "more").write_bytes(b"")
    with pytest.raises(OSError, match="space"):
        (small / "more").write_bytes(bytes(16 << 20))
    with pytest.raises(MemoryUnusable) as said:
        cheap(small / "memory").add(*papers([1]))
    assert "\n" not in str(said.value)
    (small / "more").unlink()
    store = cheap(small / "memory")
    store.add(*papers([1]))
    assert found_by_itself(store, papers([1])[0])
