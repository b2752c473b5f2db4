"""What every search of one kind of records answers, and the simplest: the nearest."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from memory.index import Vector
from memory.narrowing import Only
from memory.records import Kind
from memory.store import MemoryStore


class Scored(NamedTuple):
    """A record's id, and the score by which the search ranks it; scores of one search compare."""

    id: str
    score: float


class Search(Protocol):
    """Finds records of one kind for a query's unit vector: at most `k`, the best score first, none twice."""

    def __call__(self, store: MemoryStore, vector: Vector, kind: Kind, k: int, only: Only) -> list[Scored]: ...


def plain(store: MemoryStore, vector: Vector, kind: Kind, k: int, only: Only) -> list[Scored]:
    """The `k` nearest."""
    return [Scored(*found) for found in store.nearest(vector, kind, k, only)]
