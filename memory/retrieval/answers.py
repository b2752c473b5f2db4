"""What agents get, and how any search of one kind of records gives it for the roots alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from memory.narrowing import Only
from memory.records import AnyRecord
from memory.retrieval.ladders import Root
from memory.retrieval.search import Search, plain
from memory.store import Hit, MemoryStore


@dataclass(frozen=True)
class Found:
    """A root, its score, by which roots of one answer compare, and the hit on its ladder that spoke most for it."""

    record: AnyRecord
    score: float
    by: Hit


class Retriever(Protocol):
    """Finds roots for a text: at most `k`, the best score first, none twice."""

    def __call__(self, store: MemoryStore, text: str, root: Root, k: int, only: Only) -> list[Found]: ...


@dataclass(frozen=True)
class RootsAlone:
    """Looks at the roots themselves and at nothing below them."""

    search: Search = plain

    def __call__(self, store: MemoryStore, text: str, root: Root, k: int, only: Only) -> list[Found]:
        found = self.search(store, store.vector(text), root, k, only)
        return [Found(s.hit.record, s.score, s.hit) for s in found]
