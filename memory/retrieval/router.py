"""Every grain of a ladder is searched, and the surest is heard most: what it found, carried to the roots, makes one score.

A grain's weight is the inverse of its uncertainty, the entropy of the softmax over what its roots scored (after MemGAS). Rare
words that a query shares with a record are one more voice beside nearness in meaning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from memory.index import Vector
from memory.narrowing import ANYTHING, Only
from memory.records import Kind
from memory.retrieval.answers import Found, hits_of
from memory.retrieval.familiarity import uncertainty
from memory.retrieval.ladders import LADDERS, Ladder, Root, roots_of
from memory.retrieval.search import Search, plain
from memory.store import MemoryStore

LEAST = 0.05  # uncertainty below which grains are equally sure: no grain is heard alone


class Said(NamedTuple):
    """How much is said for a root, at most, and the record that says it."""

    much: float
    by: str
    kind: Kind

    def times(self, weight: float) -> Said:
        return self._replace(much=weight * self.much)


Told = Sequence[tuple[str, Kind, float]]  # what a search found, each with how much that says for it
Voice = Mapping[str, Said]  # by root


@dataclass(frozen=True)
class Router:
    """`search` is that of every grain. `words` is the weight of rare words beside meaning; 0 leaves them out."""

    search: Search = plain
    temperature: float = 0.05
    words: float = 2.0
    listed: int = 50  # records of a grain that are looked at
    ladders: Mapping[Root, Ladder] = field(default_factory=lambda: LADDERS)

    def __call__(self, store: MemoryStore, text: str, root: Root, k: int, only: Only) -> list[Found]:
        vector, ladder = store.vector(text), self.ladders[root]
        grains = [self._grain(store, vector, kind, where) for kind, where in _grains(ladder, only)]
        words = self._words(store, text, ladder, only)
        roots = roots_of(store, ladder, {name: kind for told in (*grains, words) for name, kind, _ in told}, only)
        voices = _in_one_scale([self._weighed(_voice(grain, roots)) for grain in grains])
        return _best(store, vector, [*voices, _voice(words, roots, self.words)], k)

    def _grain(self, store: MemoryStore, vector: Vector, kind: Kind, where: Only) -> Told:
        """Above what any other may score: the last of a full list; nothing, where all there are were listed."""
        found = self.search(store, vector, kind, self.listed, where)
        least = min(s.score for s in found) if found else 0.0
        floor = least if len(found) == self.listed else min(least, 0.0)
        return [(s.id, kind, s.score - floor) for s in found]

    def _words(self, store: MemoryStore, text: str, ladder: Ladder, only: Only) -> Told:
        if not self.words:
            return []
        above = store.log.worded(text, ladder.above, self.listed) if ladder.above else []
        return store.log.worded(text, ladder.own, self.listed, only) + above

    def _weighed(self, voice: Voice) -> Voice:
        weight = certainty([said.much for said in voice.values()], self.temperature)
        return {root: said.times(weight) for root, said in voice.items()}


def certainty(scores: Sequence[float], temperature: float) -> float:
    """The weight of a grain, from 1 where all its roots score alike to `1 / LEAST` where one stands alone."""
    return 1.0 / max(uncertainty(scores, temperature), LEAST)


def _grains(ladder: Ladder, only: Only) -> Iterator[tuple[Kind, Only]]:
    """Kinds to search, and by what each is narrowed: above a root, the root itself is looked at instead."""
    yield from ((kind, only) for kind in ladder.own)
    yield from ((kind, ANYTHING) for kind in ladder.above)


def _voice(told: Told, roots: Mapping[str, Sequence[str]], weight: float = 1.0) -> Voice:
    best: dict[str, Said] = {}
    for name, kind, said in told:
        for root in roots.get(name, ()):
            if root not in best or weight * said > best[root].much:
                best[root] = Said(weight * said, name, kind)
    return best


def _totals(voices: Iterable[Voice]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for voice in voices:
        for root, said in voice.items():
            totals[root] += said.much
    return totals


def _in_one_scale(voices: Sequence[Voice]) -> list[Voice]:
    """So that all of them together say 1 of the best root: spaces of embeddings differ in how near their nearest are."""
    most = max(_totals(voices).values(), default=0.0) or 1.0
    return [{root: said.times(1 / most) for root, said in voice.items()} for voice in voices]


def _best(store: MemoryStore, vector: Vector, voices: Sequence[Voice], k: int) -> list[Found]:
    totals = _totals(voices)
    names = sorted(totals, key=lambda root: (-totals[root], root))[:k]
    spoke = {name: max((voice[name] for voice in voices if name in voice), key=lambda said: said.much) for name in names}
    roots, by = store.many(names), hits_of(store, vector, {said.by: said.kind for said in spoke.values()})
    return [Found(roots[n], totals[n], by[said.by]) for n, said in spoke.items() if n in roots and said.by in by]
