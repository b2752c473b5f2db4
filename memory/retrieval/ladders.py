"""Ladders from coarse to fine records, and how what is found on a rung is carried to the roots that were asked for.

A paper is found by itself, its sections and its mechanisms; a run by itself, its decisions, outcome and lessons, and by the paper
that it is a run of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from memory.narrowing import Only
from memory.records import Kind
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


def roots_of(store: MemoryStore, ladder: Ladder, kinds: Mapping[str, Kind], only: Only) -> dict[str, tuple[str, ...]]:
    """Ids of the roots of each record that leads to one, by its id. `only` narrows those below the ladder's top."""
    own = [name for name, kind in kinds.items() if kind in ladder.own]
    found = store.log.ancestors(own, ladder.root, LEVELS)
    tops = store.log.ancestors([name for name, kind in kinds.items() if kind not in ladder.own], ladder.top, LEVELS)
    below = store.log.children_of(ladder.root, [top for above in tops.values() for top in above], OF_ONE, only)
    return found | {name: _roots(above, below) for name, above in tops.items()}


def _roots(tops: Sequence[str], below: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(root for top in tops for root in below.get(top, ())))
