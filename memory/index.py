"""The vectors of records, in Chroma: an index that can be thrown away and made again, since the log holds the truth.

Each kind of record has a collection of its own, because Chroma filters slowly: at 100,000 records a condition that a fifth of
them meet costs 50 ms, the nearest of a collection 1 ms. Other conditions are looked at among the nearest first, and put to
Chroma only where too few of those meet them: then few records do, and Chroma is fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memory.narrowing import ANYTHING, Facets, Only
from memory.records import Kind

Vector = NDArray[np.float32]  # (d,)
Vectors = NDArray[np.float32]  # (n, d)

LOOKED_AT = 8  # times as many of the nearest as are wanted
BATCH = 2000  # vectors written at once
SIGNS = {"=": "$eq", ">=": "$gte", "<": "$lt"}
GRAPH = {"space": "cosine", "ef_construction": 100, "max_neighbors": 16, "ef_search": 100}


class IndexFault(Exception):
    """Chroma cannot use what lies in its store, or its server did not answer."""


class VectorIndex:
    """The vectors of one owner (a log) in one space (an embedding), in the store of the client that `connect` gives.

    `connect` is called for every use, so that a client that was closed is replaced. Every method raises `IndexFault`.
    """

    def __init__(self, connect: Callable[[], Any], owner: str, space: str) -> None:
        self._connect, self._prefix = connect, f"{owner}-{space}-"
        self._client: Any = None
        self._collections: dict[str, Any] = {}

    def count(self) -> int:
        with _faults():
            return sum(int(c.count()) for c in self._all().values())

    def upsert(self, kind: Kind, ids: Sequence[str], vectors: Vectors, facets: Sequence[Facets]) -> None:
        """Vectors (n, d) under the ids of their records; what is there under such an id is replaced."""
        with _faults():
            collection = self._all().get(kind) or self._made(kind)
            for start in range(0, len(ids), BATCH):
                part = slice(start, start + BATCH)
                collection.upsert(ids=list(ids[part]), embeddings=vectors[part], metadatas=[dict(f) for f in facets[part]])

    def delete(self, ids: Sequence[str]) -> None:
        with _faults():
            for collection in self._all().values():
                collection.delete(ids=list(ids))

    def clear(self) -> None:
        with _faults():
            for collection in self._all().values():
                self._client.delete_collection(collection.name)
        self._client = None

    def nearest(self, kind: Kind, vector: Vector, k: int, only: Only = ANYTHING) -> list[tuple[str, float]]:
        """Ids and cosine similarities of the `k` of a kind that are nearest to `vector`, nearest first."""
        with _faults():
            collection = self._all().get(kind)
            if collection is None or k < 1:
                return []
            wanted = k if only.anything else LOOKED_AT * k
            near = [(name, s) for name, s, facets in _query(collection, vector, wanted) if only.matches(facets)]
            if len(near) < k and not only.anything:
                near = [(name, s) for name, s, _ in _query(collection, vector, k, _where(only))]
            return near[:k]

    def vectors(self, kind: Kind, ids: Sequence[str]) -> dict[str, Vector]:
        """The vectors of those ids that there are."""
        with _faults():
            collection = self._all().get(kind)
            once = list(dict.fromkeys(ids))  # Chroma refuses to be asked twice for one
            found = collection.get(ids=once, include=["embeddings"]) if collection and ids else None
        return (
            {name: np.asarray(v, np.float32) for name, v in zip(found["ids"], found["embeddings"], strict=True)} if found else {}
        )

    def _all(self) -> dict[str, Any]:
        """Collections by kind."""
        client = self._connect()
        if client is not self._client:
            named = {c.name: c for c in client.list_collections() if c.name.startswith(self._prefix)}
            self._collections = {name.removeprefix(self._prefix): c for name, c in named.items()}
            self._client = client
        return self._collections

    def _made(self, kind: Kind) -> Any:
        self._collections[kind] = self._client.get_or_create_collection(
            f"{self._prefix}{kind}", embedding_function=None, configuration={"hnsw": GRAPH}
        )
        return self._collections[kind]


def _query(collection: Any, vector: Vector, k: int, where: Any = None) -> Iterator[tuple[str, float, Facets]]:
    found = collection.query(query_embeddings=[vector], n_results=k, where=where, include=["metadatas", "distances"])
    for name, distance, facets in zip(found["ids"][0], found["distances"][0], found["metadatas"][0], strict=True):
        yield name, 1.0 - distance, facets


def _where(only: Only) -> dict[str, Any]:
    conditions = [{name: {SIGNS[sign]: value}} for name, sign, value in only.conditions]
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


@contextmanager
def _faults() -> Iterator[None]:
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
        raise IndexFault(str(error)) from error
