"""The index that follows the log: whatever is asked of it, it holds by then what the log holds.

What another process has written, or what was written before a crash, is embedded first. One process at a time asks: Chroma in a
folder loses vectors that two write at once, and no process finds what another wrote until it opens the folder anew. The log
therefore keeps, for each space, how far the index has come, how many changes it has seen, how many vectors it held then and what
its files were. A damaged index is opened anew, and made anew where that does not help.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from memory import chroma
from memory.alone import alone
from memory.embeddings import NamedEmbeddings, vectors_of
from memory.errors import MemoryUnusable, RecordRefused
from memory.index import IndexFault, VectorIndex, faults
from memory.log import Indexed, RecordLog, Row
from memory.log_faults import log_faults
from memory.records import AnyRecord

T = TypeVar("T")
Progress = Callable[[int, int], None]  # records embedded so far, and in all

STEP = 2000  # records embedded between two words on progress
NOTHING = Indexed(generation=-1)
logger = logging.getLogger(__name__)


class FollowingIndex:
    """Of a log, by an embedding, in `folder` or at a Chroma server. Methods raise `MemoryUnusable`."""

    def __init__(self, log: RecordLog, embeddings: NamedEmbeddings, folder: Path, server: str, progress: Progress) -> None:
        self._log, self._embeddings, self._progress = log, embeddings, progress
        self._lock = folder / "index.lock"
        self._place = (folder / "index" / embeddings.name).resolve()
        self._client = chroma.at_server(server) if server else None
        self._index = VectorIndex(lambda: self._client or chroma.in_folder(self._place), log.id, embeddings.name)
        self._shown = NOTHING  # the state that the open index shows
        self._sealed: tuple[chroma.Stamps, str] = ([], "")

    def ask(self, what: Callable[[VectorIndex], T]) -> T:
        fault: IndexFault | None = None
        with log_faults(self._lock), alone(self._lock):
            for prepare in (self._follow, self._follow, self._make_anew):
                try:
                    prepare()
                    answer = what(self._index)
                    if self._seal() != self._shown.seal:  # Chroma writes its files also when it is asked
                        self._noted(self._shown)
                    return answer
                except IndexFault as error:
                    logger.info("the memory's index: %s", error)
                    fault, self._shown = error, NOTHING  # so that it is opened anew
        remedy = "see that its server works" if self._client else f"see that {self._place} can be written and has space"
        raise MemoryUnusable(
            f"the index of the memory cannot be used ({fault}): {remedy}, and repeat the command; no record is lost"
        ) from fault

    def _follow(self) -> None:
        """Sees what other processes did, and does what nobody has."""
        state = self._log.indexed(self._embeddings.name)
        if state.generation != self._shown.generation:
            self._see(state)
        self._catch_up(state)

    def _make_anew(self) -> None:
        if self._client:
            self._index.clear()
        else:
            chroma.close(self._place)
            shutil.rmtree(self._place, ignore_errors=True)
        generation = self._log.indexed(self._embeddings.name).generation
        self._catch_up(self._noted(Indexed(generation=generation, forgotten=self._log.number_forgotten())))

    def _see(self, state: Indexed) -> None:
        """Opens the index as it was left. One that does not hold what was written to it is at fault.

        What a process wrote that was killed before it could note it may be there or not.
        """
        self._index.look_anew()
        if not self._client:
            chroma.close(self._place)
            if self._seal() != state.seal:
                raise IndexFault("its files have changed")
        fewer, more = len(self._log.forgotten_after(state.forgotten)), self._log.number_after(state.seq)
        found = self._index.count()
        if not state.vectors - fewer <= found <= state.vectors + more:
            raise IndexFault(f"it holds {found:,} vectors of {state.vectors:,}")
        self._shown = state

    def _catch_up(self, state: Indexed) -> None:
        """Embeds what the log holds beyond `state`, and takes out what it has forgotten since."""
        done, of = 0, self._log.number_after(state.seq)
        while rows := self._log.after(state.seq, STEP):
            self._embed(rows)
            state = self._noted(replace(state, seq=rows[-1].seq))
            done += len(rows)
            self._progress(done, of)
        if gone := self._log.forgotten_after(state.forgotten):
            self._index.delete(gone)
            self._noted(replace(state, forgotten=state.forgotten + len(gone)))

    def _embed(self, rows: Sequence[Row]) -> None:
        records = sorted(readable(rows), key=lambda r: r.kind)
        for kind, group in groupby(records, key=lambda r: r.kind):
            same = list(group)
            vectors = vectors_of(self._embeddings, [r.text() for r in same])
            self._index.upsert(kind, [r.id for r in same], vectors)

    def _noted(self, state: Indexed) -> Indexed:
        """The state, now that the index has come so far."""
        state = replace(state, generation=state.generation + 1, vectors=self._index.count(), seal=self._seal())
        self._log.set_indexed(self._embeddings.name, state)
        self._shown = state
        return state

    def _seal(self) -> str:
        """Of the index's files as they lie there now, "" at a server."""
        if self._client:
            return ""
        with faults():
            if (now := chroma.stamps(self._place)) != self._sealed[0]:
                self._sealed = now, chroma.seal(self._place)
        return self._sealed[1]


def readable(rows: Sequence[Row]) -> list[AnyRecord]:
    """What this version can read of them."""
    found = []
    for row in rows:
        try:
            found.append(row.read())
        except RecordRefused as refused:
            logger.info("record %s: %s", row.id, refused)
    return found
