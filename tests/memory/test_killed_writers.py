"""A process killed in the middle of a change leaves a memory that opens, holds what was promised, and finds it by meaning."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest
from memory_processes import begun, cheap, ended, killed, lines, say, write
from memory_records import found_by_itself, papers, vectors_in

from memory import chroma
from memory.following import STEP

ROUND = 100_000  # numbers of one round of writing
LARGE = 2500


def whole(folder: Path, promised: list[str], server: str = "") -> None:
    """The memory in that folder opens anew, and keeps its promise."""
    for place in list(chroma._clients):
        chroma.close(place)
    store = cheap(folder, server)
    there = {record.id for record in store.all()}
    assert set(promised) <= there
    assert vectors_in(store) == len(store) == len(there)
    numbers = [int(name[1:]) for name in promised]
    latest = papers(numbers[-100:] + random.Random(0).sample(numbers, min(100, len(numbers))))
    assert [r.id for r in latest if not found_by_itself(store, r)] == []
    store.close()


@pytest.mark.parametrize(("size", "rounds", "longest_s"), [(1, 5, 0.4), (40, 5, 0.6), (700, 4, 0.8)])
def test_killed_in_the_middle_of_writing(tmp_path: Path, size: int, rounds: int, longest_s: float) -> None:
    draw, promised, kills = random.Random(size), [], 0
    for number in range(rounds):
        file = tmp_path / f"said-{number}"
        kills += killed(begun(write, tmp_path / "memory", file, number * ROUND, 1000, size), file, draw, longest_s)
        promised += [name for name in lines(file) if name.startswith("p")]
        whole(tmp_path / "memory", promised)
    assert kills == rounds
    undisturbed = tmp_path / "said-undisturbed"
    assert ended(begun(write, tmp_path / "memory", undisturbed, rounds * ROUND, 2, size)) == [0]
    promised += [name for name in lines(undisturbed) if name.startswith("p")]
    assert len(promised) >= 2 * size
    whole(tmp_path / "memory", promised)


def test_killed_in_the_middle_of_writing_to_a_server(tmp_path: Path, server: str) -> None:
    draw, promised = random.Random(3), []
    for number in range(3):
        file = tmp_path / f"said-{number}"
        assert killed(begun(write, tmp_path / "memory", file, number * ROUND, 1000, 60, server), file, draw, 0.5)
        promised += [name for name in lines(file) if name.startswith("p")]
        whole(tmp_path / "memory", promised, server)


def test_others_go_on_when_one_is_killed(tmp_path: Path) -> None:
    draw, files = random.Random(5), [tmp_path / f"said-{i}" for i in range(6)]
    staying = begun(write, tmp_path / "memory", files[0], 0, 25, 20)
    for number in range(1, 6):
        victim = begun(write, tmp_path / "memory", files[number], number * ROUND, 1000, 50)
        assert killed(victim, files[number], draw, 0.4)
    assert ended(staying) == [0]
    promised = [name for file in files for name in lines(file) if name.startswith("p")]
    assert {f"p{n}" for n in range(500)} <= set(promised)
    whole(tmp_path / "memory", promised)


def open_it(folder: Path, file: Path) -> None:
    say(file, "begun")
    store = cheap(folder)
    store.similar("bread", "paper")
    say(file, "ended")
    os._exit(0)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "memory"
    store = cheap(folder)
    store.add(*papers(range(LARGE)))
    store.close()
    return folder


def test_killed_while_the_index_is_made_anew(tmp_path: Path, large: Path) -> None:
    draw, kills = random.Random(9), 0
    for number in range(2):
        folder, file = tmp_path / f"memory-{number}", tmp_path / f"said-{number}"
        shutil.copytree(large, folder)
        shutil.rmtree(folder / "index")
        for _ in range(2):
            kills += killed(begun(open_it, folder, file), file, draw, 0.7)
        whole(folder, [f"p{n}" for n in range(LARGE)])
    assert kills > 1


def test_making_anew_goes_on_where_it_was_killed(tmp_path: Path, large: Path) -> None:
    shutil.copytree(large, tmp_path / "memory")
    shutil.rmtree(tmp_path / "memory" / "index")
    process = begun(open_slowly, tmp_path / "memory", tmp_path / "said")
    assert ended(process) == [9]
    store = cheap(tmp_path / "memory")
    assert vectors_in(store) == LARGE and len(store._embeddings.given) == LARGE - STEP


def open_slowly(folder: Path, file: Path) -> None:
    """Ends when the first records have been embedded and the next are on their way."""
    store = cheap(folder)
    embed = store._embeddings.embed_documents

    def until_the_second(texts: list[str]) -> list[list[float]]:
        if len(store._embeddings.given) > STEP:
            os._exit(9)
        return embed(texts)

    store._embeddings.embed_documents = until_the_second  # type: ignore[attr-defined,method-assign]
    store.similar("bread", "paper")


def forget_all(folder: Path, file: Path) -> None:
    store = cheap(folder)
    say(file, "begun")
    for record in store.all():
        store.forget([record.id], "to see it go")
        say(file, record.id)
    os._exit(0)


def test_killed_while_it_forgets(tmp_path: Path) -> None:
    cheap(tmp_path / "memory").add(*papers(range(300)))
    draw, gone = random.Random(11), set()
    for number in range(3):
        file = tmp_path / f"said-{number}"
        assert killed(begun(forget_all, tmp_path / "memory", file), file, draw, 0.9)
        gone |= set(lines(file)) - {"begun"}
        left = {record.id for record in cheap(tmp_path / "memory").all()}
        assert not gone & left
        whole(tmp_path / "memory", sorted(left))
        assert cheap(tmp_path / "memory").vectors("paper", sorted(gone)) == {}
    assert gone
