"""The index that follows the log: whatever is asked of it, it holds by then what the log holds.

What another process has written, or what was written before a crash, is embedded first, under a lock: Chroma in a folder loses
vectors that two processes write at once, and a process does not find what another wrote until it opens the folder anew. The log
therefore keeps, for each space, how far the index has come, how many changes it has seen and how many vectors it held then.
A damaged index is opened anew, and made anew where that does not help.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from memory import chroma
from memory.alone import alone
from memory.embeddings import NamedEmbeddings, vectors_of
from memory.errors import MemoryUnusable, RecordRefused
from memory.index import IndexFault, VectorIndex
from memory.log import Indexed, RecordLog, Row
from memory.narrowing import facets_of
from memory.records import AnyRecord

T = TypeVar("T")
Progress = Callable[[int, int], None]  # records embedded so far, and in all

STEP = 2000  # records embedded between two words on progress
logger = logging.getLogger(__name__)
_one_at_a_time = threading.RLock()  # within a process, where all share one client


class FollowingIndex:
    """Of a log, by an embedding, in `folder` or at a Chroma server. Methods raise `MemoryUnusable`."""

    def __init__(self, log: RecordLog, embeddings: NamedEmbeddings, folder: Path, server: str, progress: Progress) -> None:
        self._log, self._embeddings, self._progress = log, embeddings, progress
        self._lock = folder / "index.lock"
        self._place = None if server else (folder / "index").resolve()
        client = chroma.at_server(server) if server else None
        self._index = VectorIndex(lambda: client or chroma.in_folder(folder / "index"), log.id, embeddings.name)
        self._seen = -1  # the generation that the open index shows

    def ask(self, what: Callable[[VectorIndex], T]) -> T:
        fault: IndexFault | None = None
        with _one_at_a_time:
            for prepare in (self._follow, self._look_again, self._make_anew):
                try:
                    prepare()
                    return what(self._index)
                except IndexFault as error:
                    logger.info("the memory's index: %s", error)
                    fault = error
        raise MemoryUnusable(f"the index of the memory cannot be used: {fault}") from fault

    def drop(self, ids: Sequence[str]) -> None:
        """Takes out the vectors of records that the log holds no more."""

        def delete(index: VectorIndex) -> None:
            with alone(self._lock):
                state = self._state
                if state.generation != self._seen:
                    self._see(state)
                index.delete(ids)
                self._note(state, state.seq)

        self.ask(delete)

    @property
    def _state(self) -> Indexed:
        return self._log.indexed(self._embeddings.name)

    def _follow(self) -> None:
        """Sees what other processes did, and embeds what nobody has."""
        state = self._state
        if state.generation != self._seen:
            self._see(state)
        if state.seq < self._log.last():
            with alone(self._lock):
                state = self._state
                if state.generation != self._seen:
                    self._see(state)
                self._embed_after(state)

    def _look_again(self) -> None:
        """Waits for who writes; goes on where a crash ended a change."""
        with alone(self._lock):
            state = self._state
            if state.seq >= self._log.last():
                self._see(state)
            else:
                self._reopen()
                self._embed_after(state)

    def _make_anew(self) -> None:
        with alone(self._lock):
            state = self._state
            if self._place:
                chroma.close(self._place)
                shutil.rmtree(self._place, ignore_errors=True)
            else:
                self._index.clear()
            self._embed_after(Indexed(0, state.generation, 0))

    def _see(self, state: Indexed) -> None:
        """Opens the index as it was left. One that does not hold what was written to it is at fault."""
        self._reopen()
        if (found := self._index.count()) != state.vectors:
            raise IndexFault(f"it holds {found:,} vectors of {state.vectors:,}")
        self._seen = state.generation

    def _reopen(self) -> None:
        if self._place:
            chroma.close(self._place)

    def _embed_after(self, state: Indexed) -> None:
        """Embeds what the log holds beyond `state`; the caller holds the lock."""
        seq, done, of = state.seq, 0, self._log.number_after(state.seq)
        while rows := self._log.after(seq, STEP):
            self._embed(rows)
            seq, done = rows[-1].seq, done + len(rows)
            self._progress(done, of)
        self._note(state, max(seq, self._log.last()))

    def _embed(self, rows: Sequence[Row]) -> None:
        records = sorted(readable(rows), key=lambda r: r.kind)
        for kind, group in groupby(records, key=lambda r: r.kind):
            same = list(group)
            vectors = vectors_of(self._embeddings, [r.text() for r in same])
            self._index.upsert(kind, [r.id for r in same], vectors, [facets_of(r) for r in same])

    def _note(self, state: Indexed, seq: int) -> None:
        self._seen = state.generation + 1
        self._log.set_indexed(self._embeddings.name, Indexed(seq, self._seen, self._index.count()))


def readable(rows: Sequence[Row]) -> list[AnyRecord]:
    """What this version can read of them."""
    found = []
    for row in rows:
        try:
            found.append(row.read())
        except RecordRefused as refused:
            logger.info("record %s: %s", row.id, refused)
    return found
