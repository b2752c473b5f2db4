"""What every search of one kind of records answers, and the simplest: the nearest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from memory.index import Vector
from memory.narrowing import Only
from memory.records import Kind
from memory.store import Hit, MemoryStore


@dataclass(frozen=True)
class Scored:
    """A hit, and the score by which the search ranks it; scores of one search compare."""

    hit: Hit
    score: float


class Search(Protocol):
    """Finds records of one kind for a query's unit vector: at most `k`, the best score first, none twice."""

    def __call__(self, store: MemoryStore, vector: Vector, kind: Kind, k: int, only: Only) -> list[Scored]: ...


def plain(store: MemoryStore, vector: Vector, kind: Kind, k: int, only: Only) -> list[Scored]:
    """The `k` nearest."""
    return [Scored(hit, hit.similarity) for hit in store.near(vector, kind, k, only)]
