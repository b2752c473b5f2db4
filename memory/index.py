"""The vectors of records, in Chroma: an index that can be thrown away and made again, since the log holds the truth.

Each kind of record has a collection of its own, and nothing but vectors lies in it: Chroma filters slowly (at 100,000 records a
condition that a fifth of them meet costs 50 ms, the nearest of a collection 1 ms), and its file keeps what was deleted from it.

Equal vectors are laid apart by a hair: the graph in which Chroma searches falls to pieces where more than 32 of its points are
the same (thirty texts of a hundred records each hid half of the others).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from memory.errors import first_line
from memory.records import Kind

Vector = NDArray[np.float32]  # (d,)
Vectors = NDArray[np.float32]  # (n, d)

BATCH = 2000  # vectors written at once
GRAPH = {"space": "cosine", "ef_construction": 100, "max_neighbors": 16, "ef_search": 400}
HAIR = 1e-3  # how far a vector is laid from where it belongs: its similarities change by less than 1e-3
KINDS: tuple[Kind, ...] = get_args(Kind)


class IndexFault(Exception):
    """Chroma cannot use what lies in its store, or its server did not answer."""


class VectorIndex:
    """The vectors of one owner (a log) in one space (an embedding), in the store of the client that `connect` gives.

    `connect` is called for every use, so that a client that was closed is replaced. Every method raises `IndexFault`.
    """

    def __init__(self, connect: Callable[[], Any], owner: str, space: str) -> None:
        self._connect, self._names = connect, {kind: f"{owner}-{space}-{kind}" for kind in KINDS}
        self._client: Any = None
        self._collections: dict[str, Any] = {}

    def count(self) -> int:
        with faults():
            return sum(int(c.count()) for c in self._all().values())

    def upsert(self, kind: Kind, ids: Sequence[str], vectors: Vectors) -> None:
        """Vectors (n, d) under the ids of their records; what is there under such an id is replaced."""
        with faults():
            collection = self._all().get(kind) or self._made(kind)
            apart = vectors + HAIR * np.stack([_direction(name, vectors.shape[1]) for name in ids])
            apart /= np.linalg.norm(apart, axis=1, keepdims=True)
            for part in _parts(len(ids)):
                collection.upsert(ids=list(ids[part]), embeddings=apart[part])

    def delete(self, ids: Sequence[str]) -> None:
        with faults():
            for collection in self._all().values():
                for part in _parts(len(ids)):
                    collection.delete(ids=list(ids[part]))

    def look_anew(self) -> None:
        """What others made or deleted since is seen."""
        self._client = None

    def clear(self) -> None:
        with faults():
            self.look_anew()
            for collection in self._all().values():
                self._client.delete_collection(collection.name)
            self.look_anew()

    def nearest(self, kind: Kind, vector: Vector, k: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities of the `k` of a kind that are nearest to `vector`, nearest first."""
        with faults():
            collection = self._all().get(kind)
            if collection is None or k < 1:
                return []
            found = collection.query(query_embeddings=[vector], n_results=k, include=["distances"])
            return [(name, 1.0 - distance) for name, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def nearest_of(self, kind: Kind, vector: Vector, k: int, ids: Sequence[str]) -> list[tuple[str, float]]:
        """The same among those ids alone, each of which is looked at."""
        near = [(name, float(v @ vector)) for name, v in self.vectors(kind, ids).items()]
        return sorted(near, key=lambda found: (-found[1], found[0]))[:k]

    def vectors(self, kind: Kind, ids: Sequence[str]) -> dict[str, Vector]:
        """The vectors of those ids that there are, as they were laid apart."""
        vectors: dict[str, Vector] = {}
        different = list(dict.fromkeys(ids))
        with faults():
            collection: Any = self._all().get(kind)
            for part in _parts(len(different) if collection else 0):
                found = collection.get(ids=different[part], include=["embeddings"])
                vectors |= {name: np.asarray(v, np.float32) for name, v in zip(found["ids"], found["embeddings"], strict=True)}
        return vectors

    def _all(self) -> dict[str, Any]:
        """Collections by kind."""
        client = self._connect()
        if client is not self._client:
            there = {c.name: c for c in client.list_collections()}
            self._collections = {kind: there[name] for kind, name in self._names.items() if name in there}
            self._client = client
        return self._collections

    def _made(self, kind: Kind) -> Any:
        self._collections[kind] = self._client.get_or_create_collection(
            self._names[kind], embedding_function=None, configuration={"hnsw": GRAPH}
        )
        return self._collections[kind]


def _parts(n: int) -> list[slice]:
    return [slice(start, start + BATCH) for start in range(0, n, BATCH)]


def _direction(name: str, d: int) -> Vector:
    """A unit vector (d,) of that name's own."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
    direction = np.random.default_rng(seed).standard_normal(d, np.float32)
    return direction / np.linalg.norm(direction)


@contextmanager
def faults() -> Iterator[None]:
    """What Chroma and its HTTP library say: they raise what they like, and Rust's panics are not even an `Exception`."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise IndexFault(first_line(error)) from error
        raise
