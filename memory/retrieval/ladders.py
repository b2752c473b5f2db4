"""Ladders from coarse to fine records, and how what is found on a rung is carried to the roots that were asked for.

A paper is found by itself, its sections and its mechanisms; a run by itself, its decisions, outcome and lessons, and by the paper
that it is a run of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from memory.narrowing import Only
from memory.records import AnyRecord, Kind
from memory.store import MemoryStore

Root = Literal["paper", "run"]

LEVELS = 4  # that are climbed: a mechanism's paper is its grandparent
OF_ONE = 50  # roots below one record, the newest


@dataclass(frozen=True)
class Ladder:
    """Kinds of records that lead to a root: `own` to it or to an ancestor of that kind, `above` to children of their `top`."""

    root: Kind
    own: tuple[Kind, ...]
    top: Kind
    above: tuple[Kind, ...] = ()


OF_PAPERS: tuple[Kind, ...] = ("paper", "section", "mechanism")
LADDERS: Mapping[Root, Ladder] = {
    "paper": Ladder("paper", OF_PAPERS, "paper"),
    "run": Ladder("run", ("run", "decision", "outcome", "lesson"), "paper", OF_PAPERS),
}


def roots_of(store: MemoryStore, ladder: Ladder, records: Iterable[AnyRecord], only: Only) -> dict[str, tuple[str, ...]]:
    """Ids of the roots of each record, by its id; none where lineage leads nowhere. `only` narrows those below its top."""
    start = {record.id: record for record in records}
    known = _with_ancestors(store, start)
    below: dict[str, list[str]] = {}
    found = {}
    for record in start.values():
        if record.kind in ladder.own:
            found[record.id] = _nearest(record, ladder.root, known)
            continue
        tops = _nearest(record, ladder.top, known)
        for top in tops:
            if top not in below:
                below[top] = store.log.children_of(ladder.root, top, OF_ONE, only)
        found[record.id] = tuple(dict.fromkeys(root for top in tops for root in below[top]))
    return found


def _with_ancestors(store: MemoryStore, start: Mapping[str, AnyRecord]) -> dict[str, AnyRecord]:
    known, asked, level = dict(start), set(start), list(start.values())
    for _ in range(LEVELS):
        missing = list(dict.fromkeys(p for record in level for p in record.parents if p not in asked))
        if not missing:
            break
        asked |= set(missing)
        level = list(store.many(missing).values())
        known |= {record.id: record for record in level}
    return known


def _nearest(record: AnyRecord, kind: Kind, known: Mapping[str, AnyRecord]) -> tuple[str, ...]:
    """Ids of the first of that kind on every way up; a record of that kind is its own."""
    found, seen, level = [], {record.id}, [record]
    while level:
        found += [r.id for r in level if r.kind == kind]
        parents = dict.fromkeys(p for r in level if r.kind != kind for p in r.parents if p in known and p not in seen)
        seen |= set(parents)
        level = [known[p] for p in parents]
    return tuple(found)
