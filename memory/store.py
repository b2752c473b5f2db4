"""The long-term memory: records in a log, found again by id, by what they belong to, and by meaning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from memory.embeddings import NamedEmbeddings, vectors_of
from memory.first_store import forget_first_store, move_first_store
from memory.following import FollowingIndex, Progress, readable
from memory.index import Vector
from memory.log import RecordLog
from memory.narrowing import ANYTHING, Only
from memory.records import AnyRecord, Kind

WIDENED = (8, 32)  # times as many of the nearest as are wanted are looked at where only some fit


@dataclass(frozen=True)
class Hit:
    """A record and its cosine similarity to the query, in [-1, 1]."""

    record: AnyRecord
    similarity: float


class MemoryStore:
    """Records in `folder`, their vectors beside them or, with `server`, at a Chroma server's address.

    `progress` is told while records are embedded. Processes may use one folder at the same time. Methods raise `MemoryUnusable`.
    """

    def __init__(
        self, folder: Path, embeddings: NamedEmbeddings, server: str = "", progress: Progress = lambda done, of: None
    ) -> None:
        self.log = RecordLog(folder / "records.sqlite")
        move_first_store(folder, self.log)
        self._folder, self._embeddings = folder, embeddings
        self._index = FollowingIndex(self.log, embeddings, folder, server, progress)

    @property
    def embedding(self) -> str:
        """The name of the embedding by which records are found."""
        return self._embeddings.name

    def __len__(self) -> int:
        return sum(self.log.counts().values())

    def add(self, *records: AnyRecord) -> int:
        """Writes records, all or none, and returns how many are new or changed. Raises `RecordRefused` for one too large."""
        written = self.log.append(records)
        self._index.ask(lambda index: None)
        return written

    def merge(self, records: Iterable[AnyRecord]) -> int:
        """Adds what another memory has written, its history included; what was written here before is left as it is."""
        written = self.log.append(records, merging=True)
        self._index.ask(lambda index: None)
        return written

    def get(self, record_id: str) -> AnyRecord | None:
        """Raises `RecordRefused` where a newer program wrote it."""
        row = self.log.rows([record_id]).get(record_id)
        return row.read() if row else None

    def many(self, ids: Sequence[str]) -> dict[str, AnyRecord]:
        """Records by id, of those ids that there are. What cannot be read is left out."""
        return {record.id: record for record in readable(list(self.log.rows(ids).values()))}

    def all(self, kind: Kind | None = None, only: Only = ANYTHING, newest: int | None = None) -> list[AnyRecord]:
        """Records, oldest first; with `newest`, the last so many of them. What cannot be read is left out."""
        return readable(self.log.listing(kind, only, newest))

    def children(self, record_id: str) -> list[AnyRecord]:
        """What names that record as a parent, oldest first."""
        return readable(self.log.children(record_id))

    def similar(self, text: str, kind: Kind, k: int = 5, only: Only = ANYTHING) -> list[Hit]:
        """The `k` records of a kind nearest in meaning to `text`, nearest first."""
        return self.near(self.vector(text), kind, k, only)

    def vector(self, text: str) -> Vector:
        """The unit vector (d,) of a text."""
        vector: Vector = vectors_of(self._embeddings, [text])[0]
        return vector

    def near(self, vector: Vector, kind: Kind, k: int = 5, only: Only = ANYTHING) -> list[Hit]:
        """The `k` records of a kind nearest to a unit vector, nearest first."""
        found = self.nearest(vector, kind, k, only)
        records = self.many([name for name, _ in found])
        return [Hit(records[name], similarity) for name, similarity in found if name in records]

    def nearest(self, vector: Vector, kind: Kind, k: int, only: Only = ANYTHING) -> list[tuple[str, float]]:
        """The same, by their ids and similarities alone.

        Where records are narrowed, ever more of the nearest are looked at; where few of those fit, so few fit at all that each
        of them is.
        """
        if only.anything:
            return self._index.ask(lambda index: index.nearest(kind, vector, k))
        for times in WIDENED:
            near = self._index.ask(lambda index, most=times * k: index.nearest(kind, vector, most))  # type: ignore[misc]
            fit = self.log.fitting([name for name, _ in near], only)
            found = [(name, similarity) for name, similarity in near if name in fit]
            if len(found) >= k or len(near) < times * k:
                return found[:k]
        ids = self.log.ids(kind, only)
        return self._index.ask(lambda index: index.nearest_of(kind, vector, k, ids))

    def vectors(self, kind: Kind, ids: Sequence[str]) -> dict[str, Vector]:
        """The unit vectors of those records of a kind."""
        return self._index.ask(lambda index: index.vectors(kind, ids))

    def forget(self, ids: Sequence[str], why: str) -> int:
        """Takes records out for good, and returns how many there were; the same ids are not written again."""
        gone = self.log.forget(ids, why)
        forget_first_store(self._folder)
        self._index.ask(lambda index: None)
        return gone

    def close(self) -> None:
        self.log.close()
