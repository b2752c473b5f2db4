"""The log of records: one SQLite file, append-only, and the truth about what is remembered. Vectors are made from it.

A record that is written again with other content is a new revision, and the newest counts; what was written stays. The one
exception is forgetting, which takes a record's content out of the file and leaves its id, so that it is not written again.
SQLite's write-ahead log lets processes of one machine write at the same time and survives a crash in the middle of a write; a
file system that several machines share does not carry it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from pydantic_core import PydanticSerializationError

from memory.alone import alone
from memory.errors import MemoryUnusable, RecordRefused
from memory.log_faults import log_faults
from memory.narrowing import ANYTHING, Only, facets_of
from memory.records import AnyRecord, Kind, now
from memory.versions import VERSION, read_record
from memory.words import SCHEMA as WORDS
from memory.words import Words

APPLICATION = 0x41675253  # "AgRS": tells our files from other SQLite files
LAYOUT = 1  # of the tables below
LARGEST = 256 * 1024  # bytes of one record: what is larger belongs into an artifact
SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,
    dataset TEXT NOT NULL, task TEXT NOT NULL, agent TEXT NOT NULL, outcome TEXT NOT NULL, topic TEXT NOT NULL,
    created INTEGER NOT NULL, digest BLOB NOT NULL, body TEXT NOT NULL, newest INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX by_id ON records (id, seq);
CREATE INDEX by_kind ON records (kind, created, seq) WHERE newest;
CREATE INDEX by_topic ON records (topic, created, seq) WHERE newest AND topic != '';
CREATE INDEX by_place ON records (kind, dataset, outcome, created, id) WHERE newest;
CREATE TABLE lineage (parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID;
CREATE INDEX by_child ON lineage (child);
CREATE TABLE forgotten (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE spaces (
    name TEXT PRIMARY KEY, seq INTEGER NOT NULL, forgotten INTEGER NOT NULL, generation INTEGER NOT NULL,
    vectors INTEGER NOT NULL, seal TEXT NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER append_only BEFORE UPDATE OF seq, id, kind, version, digest, body ON records
    BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
CREATE TRIGGER kept BEFORE DELETE ON records WHEN OLD.id NOT IN (SELECT id FROM forgotten)
    BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;
"""


@dataclass(frozen=True)
class Row:
    """A stored record as it was written, the newest of its id."""

    seq: int
    id: str
    kind: str
    version: int
    body: str

    def read(self) -> AnyRecord:
        """Raises `RecordRefused`."""
        return read_record(self.body, self.version)


@dataclass(frozen=True)
class Indexed:
    """How the index of a space stands: complete up to `seq`, without the first `forgotten` that were forgotten, after
    `generation` changes, holding so many `vectors`, in files of that `seal`."""

    seq: int = 0
    forgotten: int = 0
    generation: int = 0
    vectors: int = 0
    seal: str = ""


class RecordLog:
    """Opens the log at `path`, making it where there is none. Raises `MemoryUnusable`, as do all of its methods."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with log_faults(path), alone(path.with_suffix(".lock")):  # SQLite gives up where two change its journal at once
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA busy_timeout = 60000")
            self._words = Words(self._db)
            self._begin()
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA secure_delete = ON")
            self.id = str(self._one("SELECT value FROM about WHERE name = 'id'"))

    def append(self, records: Iterable[AnyRecord], merging: bool = False) -> int:
        """Writes records, all or none; returns how many were new or had changed. Forgotten ids stay so. `merging` leaves out
        what was written before, even where it has changed since.

        Raises `RecordRefused` for one that is too large, or has the id of another kind.
        """
        written = 0
        with self._writing():
            for record in records:
                written += self._write(record, body_of(record), merging)
        return written

    def rows(self, ids: Sequence[str]) -> dict[str, Row]:
        """The newest revisions of those ids that there are."""
        return {row.id: row for some in _parts(ids) for row in self._rows(f"WHERE newest AND id IN ({_marks(some)})", some)}

    def listing(self, kind: Kind | None = None, only: Only = ANYTHING, newest: int | None = None) -> list[Row]:
        """Rows, oldest first; with `newest`, the last so many of them."""
        conditions = [*([("kind", "=", kind)] if kind else []), *only.conditions]
        where = " AND ".join(["newest", *(f"{name} {sign} ?" for name, sign, _ in conditions)])
        limit = f"LIMIT {int(newest)}" if newest is not None else ""
        rows = list(self._rows(f"WHERE {where} ORDER BY created DESC, seq DESC {limit}", [v for *_, v in conditions]))
        return rows[::-1]

    def revisions(self, record_id: str) -> list[Row]:
        """All that was ever written under that id, oldest first."""
        return list(self._rows("WHERE id = ? ORDER BY seq", [record_id]))

    def children(self, record_id: str) -> list[Row]:
        """Records that name it as a parent, oldest first."""
        inside = "SELECT child FROM lineage WHERE parent = ?"
        return list(self._rows(f"WHERE newest AND id IN ({inside}) ORDER BY created, seq", [record_id]))

    def ids(self, kind: Kind, only: Only) -> list[str]:
        """The ids of the records of a kind that meet `only`."""
        conditions = [("kind", "=", kind), *only.conditions]
        where = " AND ".join(f"{name} {sign} ?" for name, sign, _ in conditions)
        with self._reading():
            found = self._db.execute(f"SELECT id FROM records WHERE newest AND {where}", tuple(v for *_, v in conditions))
            return [str(name) for (name,) in found]

    def fitting(self, ids: Sequence[str], only: Only) -> set[str]:
        """Those of the ids whose records meet `only`."""
        where, values = _looked_up(only)
        found: set[str] = set()
        with self._reading():
            for some in _parts(ids):
                query = f"SELECT id FROM records WHERE newest AND id IN ({_marks(some)}){where}"
                found.update(name for (name,) in self._db.execute(query, (*some, *values)))
        return found

    def children_of(self, kind: Kind, parents: Sequence[str], most: int, only: Only = ANYTHING) -> dict[str, list[str]]:
        """For each of the parents that has any, the ids of its children of a kind, the newest so many, newest first."""
        where, values = _looked_up(only)
        found: dict[str, list[str]] = {}
        with self._reading():
            for some in _parts(parents):
                query = f"""SELECT parent, id FROM (
                        SELECT parent, id, ROW_NUMBER() OVER (PARTITION BY parent ORDER BY created DESC, seq DESC) AS place
                        FROM lineage JOIN records ON id = child
                        WHERE parent IN ({_marks(some)}) AND newest AND +kind = ?{where}
                    ) WHERE place <= ? ORDER BY parent, place"""
                for parent, child in self._db.execute(query, (*some, kind, *values, most)):
                    found.setdefault(parent, []).append(child)
        return found

    def ancestors(self, ids: Sequence[str], kind: Kind, levels: int) -> dict[str, tuple[str, ...]]:
        """For each of the ids that leads to any, the first of that kind on every way up, the nearest first.

        A record of the kind is its own; at most so many levels are climbed.
        """
        found: dict[str, tuple[str, ...]] = {}
        with self._reading():
            for some in _parts(ids):
                query = f"""WITH RECURSIVE up (start, at, level, of) AS (
                        SELECT id, id, 0, kind FROM records WHERE newest AND id IN ({_marks(some)})
                        UNION
                        SELECT start, parent, level + 1, kind FROM up JOIN lineage ON child = at JOIN records ON id = parent
                        WHERE of != ? AND level < ? AND newest
                    ) SELECT start, at FROM up WHERE of = ? GROUP BY start, at ORDER BY start, MIN(level), at"""
                for start, at in self._db.execute(query, (*some, kind, levels, kind)):
                    found[start] = (*found.get(start, ()), at)
        return found

    def worded(self, text: str, kinds: Sequence[Kind], most: int, only: Only = ANYTHING) -> list[tuple[str, Kind, float]]:
        """Ids and kinds of records that have rare words of `text`, at most so many, and how much of them, best first.

        1 is what twelve words can give at most: a question's, or the rarest of a longer text.
        """
        with self._reading():
            return self._words.search(text, kinds, most, only)

    def after(self, seq: int, most: int) -> list[Row]:
        """The next rows after `seq` in the order of writing, at most so many."""
        return list(self._rows("WHERE newest AND seq > ? ORDER BY seq LIMIT ?", [seq, most]))

    def written(self, seq: int, most: int) -> list[Row]:
        """As `after`, with the revisions that newer ones have replaced."""
        return list(self._rows("WHERE seq > ? ORDER BY seq LIMIT ?", [seq, most]))

    def number_after(self, seq: int) -> int:
        return self._one("SELECT COUNT(*) FROM records WHERE newest AND seq > ?", seq)  # type: ignore[return-value]

    def counts(self) -> dict[str, int]:
        """Records by kind."""
        with self._reading():
            return dict(self._db.execute("SELECT kind, COUNT(*) FROM records WHERE newest GROUP BY kind ORDER BY kind"))

    def forget(self, ids: Sequence[str], why: str) -> int:
        """Takes these records out for good; returns how many there were. Their ids, the time and the reason stay."""
        with self._writing():
            for record_id in ids:
                self._db.execute("INSERT OR IGNORE INTO forgotten (id, at, why) VALUES (?, ?, ?)", (record_id, now(), why))
            rows = [(record_id,) for record_id in ids]
            gone = sum(self._db.execute("DELETE FROM records WHERE id = ?", row).rowcount > 0 for row in rows)
            self._db.executemany("DELETE FROM lineage WHERE child = ?", rows)
            self._words.purge()
        if self._one("PRAGMA wal_checkpoint(TRUNCATE)"):  # else the text would stay in the write-ahead log
            raise MemoryUnusable(
                f"it is forgotten, but its text stays in {self.path}-wal until the other processes that read the memory end"
            )
        return gone

    def forgotten(self, record_id: str) -> tuple[str, str] | None:
        """When and why that id was forgotten."""
        with self._reading():
            found = self._db.execute("SELECT at, why FROM forgotten WHERE id = ?", (record_id,)).fetchone()
        return (str(found[0]), str(found[1])) if found else None

    def number_forgotten(self) -> int:
        return self._one("SELECT COUNT(*) FROM forgotten")  # type: ignore[return-value]

    def forgotten_after(self, number: int) -> list[str]:
        """The ids that were forgotten after the first so many."""
        with self._reading():
            found = self._db.execute("SELECT id FROM forgotten WHERE seq > ? ORDER BY seq", (number,)).fetchall()
        return [str(record_id) for (record_id,) in found]

    def number_newer(self) -> int:
        """Records that a newer program wrote, which this one cannot read."""
        return self._one("SELECT COUNT(*) FROM records WHERE newest AND version > ?", VERSION)  # type: ignore[return-value]

    def indexed(self, space: str) -> Indexed:
        with self._reading():
            found = self._db.execute("SELECT * FROM spaces WHERE name = ?", (space,)).fetchone()
        return Indexed(*found[1:]) if found else Indexed()

    def set_indexed(self, space: str, state: Indexed) -> None:
        with self._writing():
            self._db.execute("INSERT OR REPLACE INTO spaces VALUES (?, ?, ?, ?, ?, ?)", (space, *astuple(state)))

    def close(self) -> None:
        self._db.close()

    def _write(self, record: AnyRecord, body: str, merging: bool) -> bool:
        digest = hashlib.sha256(body.encode()).digest()
        if self._db.execute("SELECT 1 FROM forgotten WHERE id = ?", (record.id,)).fetchone():
            return False
        before = self._db.execute("SELECT digest, kind FROM records WHERE id = ? AND newest", (record.id,)).fetchone()
        if before and before[0] == digest:
            return False
        if before and before[1] != record.kind:
            raise RecordRefused(f"record {record.id} is a {before[1]} already, and no {record.kind}: give it an id of its own")
        if merging and self._db.execute("SELECT 1 FROM records WHERE id = ? AND digest = ?", (record.id, digest)).fetchone():
            return False
        if before:
            self._db.execute("UPDATE records SET newest = 0 WHERE id = ? AND newest", (record.id,))
            self._db.execute("DELETE FROM lineage WHERE child = ?", (record.id,))
        row = {"id": record.id, "kind": record.kind, "version": VERSION, "digest": digest, "body": body, **facets_of(record)}
        written = self._db.execute(
            f"INSERT INTO records ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )
        self._words.add(written.lastrowid or 0, record.text())
        links = [(parent, record.id) for parent in record.parents]
        self._db.executemany("INSERT OR IGNORE INTO lineage VALUES (?, ?)", links)
        return True

    def _rows(self, rest: str, values: Sequence[str | int]) -> Iterator[Row]:
        with self._reading():
            found = self._db.execute(f"SELECT seq, id, kind, version, body FROM records {rest}", tuple(values)).fetchall()
        return (Row(*row) for row in found)

    def _one(self, query: str, *values: str | int) -> object:
        with self._reading():
            return self._db.execute(query, values).fetchone()[0]

    def _begin(self) -> None:
        """Makes the tables where there are none; refuses a file that is not ours."""
        empty = not self._one("SELECT COUNT(*) FROM sqlite_master")  # asked first: another process may make them now
        application, layout = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        if empty and application in (0, APPLICATION):
            with self._writing():
                if self._one("SELECT COUNT(*) FROM sqlite_master"):
                    return  # another process was first
                for statement in _statements(SCHEMA + WORDS):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO about VALUES ('id', ?)", (uuid.uuid4().hex[:12],))
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {LAYOUT}")
        elif application != APPLICATION:
            raise MemoryUnusable(f"{self.path} is not a memory of this program: move it away, or name another home")
        elif int(str(layout)) > LAYOUT:
            raise MemoryUnusable(f"{self.path} was written by a newer version of this program: update it")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; other processes wait for it."""
        with self._reading():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:  # SQLite has ended it already where the disk is full
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, log_faults(self.path):
            yield


def body_of(record: AnyRecord) -> str:
    """The record as it is written. Raises `RecordRefused`."""
    try:
        body = record.model_dump_json()
    except PydanticSerializationError:
        raise RecordRefused(f"record {record.id} holds what is not text") from None
    if len(body.encode()) > LARGEST:
        raise RecordRefused(f"record {record.id} is larger than {LARGEST // 1024} KiB: keep it as an artifact")
    return body


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    """As many at a time as SQLite takes values."""
    return [ids[start : start + 30_000] for start in range(0, len(ids), 30_000)]


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))


def _looked_up(only: Only) -> tuple[str, list[str | int]]:
    """Conditions, and their values, on records that are looked up by id: with + SQLite takes no other index for them."""
    return "".join(f" AND +{name} {sign} ?" for name, sign, _ in only.conditions), [value for *_, value in only.conditions]


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
