"""The long-term memory: records in Chroma, found again by meaning, kind and id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from langchain_core.embeddings import Embeddings

from memory.records import READ, AnyRecord, Kind


class NamedEmbeddings(Protocol):
    """LangChain embeddings with a name that tells one vector space from another."""

    name: str

    def embed_documents(self, texts: list[str]) -> list[list[float]]: ...

    def embed_query(self, text: str) -> list[float]: ...


@dataclass(frozen=True)
class Hit:
    """A record and its cosine similarity to the query, in [-1, 1]."""

    record: AnyRecord
    similarity: float


class MemoryStore:
    """Records in a folder. Writing a record whose id exists replaces it, so that a repeated step leaves one record."""

    def __init__(self, folder: Path, embeddings: NamedEmbeddings | Embeddings) -> None:
        import chromadb  # 0.5 s: paid by those who remember, not by `--help`
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        self._embeddings = embeddings
        client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        space = getattr(embeddings, "name", type(embeddings).__name__)
        self._records = client.get_or_create_collection(
            f"records-{space}", embedding_function=None, metadata={"hnsw:space": "cosine"}
        )

    def __len__(self) -> int:
        return int(self._records.count())

    def add(self, *records: AnyRecord) -> None:
        if not records:
            return
        texts = [r.text() for r in records]
        vectors: Any = self._embeddings.embed_documents(texts)
        self._records.upsert(
            ids=[r.id for r in records],
            embeddings=vectors,
            documents=texts,
            metadatas=[{"kind": r.kind, "json": r.model_dump_json()} for r in records],
        )

    def get(self, record_id: str) -> AnyRecord | None:
        found = self._records.get(ids=[record_id], include=["metadatas"])["metadatas"] or []
        return READ.validate_json(str(found[0]["json"])) if found else None

    def all(self, kind: Kind) -> list[AnyRecord]:
        """Every record of a kind, oldest first."""
        found = self._records.get(where={"kind": kind}, include=["metadatas"])["metadatas"] or []
        return sorted((READ.validate_json(str(m["json"])) for m in found), key=lambda r: (r.created, r.id))

    def similar(self, text: str, kind: Kind, k: int = 5) -> list[Hit]:
        """The `k` records of a kind nearest in meaning to `text`, nearest first."""
        if len(self) == 0:
            return []
        query: Any = [self._embeddings.embed_query(text)]
        found = self._records.query(query_embeddings=query, n_results=k, where={"kind": kind}, include=["metadatas", "distances"])
        rows, distances = (found["metadatas"] or [[]])[0], (found["distances"] or [[]])[0]
        return [Hit(READ.validate_json(str(m["json"])), 1.0 - d) for m, d in zip(rows, distances, strict=True)]
