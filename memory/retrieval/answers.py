"""What agents get, and how any search of one kind of records gives it for the roots alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from memory.index import Vector
from memory.narrowing import Only
from memory.records import AnyRecord, Kind
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
        vector = store.vector(text)
        found = self.search(store, vector, root, k, only)
        hits = hits_of(store, vector, {s.id: root for s in found})
        return [Found(hits[s.id].record, s.score, hits[s.id]) for s in found if s.id in hits]


def hits_of(store: MemoryStore, vector: Vector, kinds: Mapping[str, Kind]) -> dict[str, Hit]:
    """The records of those ids and their similarity to the query itself, whatever they were found by."""
    records, hits = store.many(list(kinds)), dict[str, Hit]()
    for kind in set(kinds.values()):
        vectors = store.vectors(kind, [name for name, of in kinds.items() if of == kind])
        hits |= {name: Hit(records[name], float(v @ vector)) for name, v in vectors.items() if name in records}
    return hits
