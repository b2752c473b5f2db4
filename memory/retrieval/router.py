"""Every grain of a ladder is searched, and the surest is heard most: what it found, carried to the roots, makes one score.

A grain's weight is the inverse of its uncertainty, the entropy of the softmax over what its roots scored (after MemGAS). Rare
words that a query shares with a record are one more voice beside nearness in meaning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from memory.index import Vector
from memory.narrowing import ANYTHING, Only
from memory.records import AnyRecord, Kind
from memory.retrieval.answers import Found
from memory.retrieval.familiarity import uncertainty
from memory.retrieval.ladders import LADDERS, Ladder, Root, roots_of
from memory.retrieval.search import Search, plain
from memory.store import Hit, MemoryStore

LEAST = 0.05  # uncertainty below which grains are equally sure: no grain is heard alone

Told = Sequence[tuple[AnyRecord, float]]  # what a search found, each with how much that says for it
Voice = Mapping[str, tuple[float, AnyRecord]]  # how much is said for each root, at most, and the record that says it


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
        roots = roots_of(store, ladder, (record for told in (*grains, words) for record, _ in told), only)
        voices = _in_one_scale([self._weighed(_voice(grain, roots)) for grain in grains])
        return _best(store, vector, [*voices, _voice(words, roots, self.words)], k)

    def _grain(self, store: MemoryStore, vector: Vector, kind: Kind, where: Only) -> Told:
        """Above what any other may score: the last of a full list; nothing, where all there are were listed."""
        found = self.search(store, vector, kind, self.listed, where)
        least = min(s.score for s in found) if found else 0.0
        floor = least if len(found) == self.listed else min(least, 0.0)
        return [(s.hit.record, s.score - floor) for s in found]

    def _words(self, store: MemoryStore, text: str, ladder: Ladder, only: Only) -> Told:
        if not self.words:
            return []
        above = store.worded(text, ladder.above, self.listed) if ladder.above else []
        return store.worded(text, ladder.own, self.listed, only) + above

    def _weighed(self, voice: Voice) -> Voice:
        weight = certainty([said for said, _ in voice.values()], self.temperature)
        return {root: (weight * said, record) for root, (said, record) in voice.items()}


def certainty(scores: Sequence[float], temperature: float) -> float:
    """The weight of a grain, from 1 where all its roots score alike to `1 / LEAST` where one stands alone."""
    return 1.0 / max(uncertainty(scores, temperature), LEAST)


def _grains(ladder: Ladder, only: Only) -> Iterator[tuple[Kind, Only]]:
    """Kinds to search, and by what each is narrowed: above a root, the root itself is looked at instead."""
    yield from ((kind, only) for kind in ladder.own)
    yield from ((kind, ANYTHING) for kind in ladder.above)


def _voice(told: Told, roots: Mapping[str, Iterable[str]], weight: float = 1.0) -> Voice:
    best: dict[str, tuple[float, AnyRecord]] = {}
    for record, said in told:
        for root in roots[record.id]:
            if root not in best or weight * said > best[root][0]:
                best[root] = weight * said, record
    return best


def _totals(voices: Iterable[Voice]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for voice in voices:
        for root, (said, _) in voice.items():
            totals[root] += said
    return totals


def _in_one_scale(voices: Sequence[Voice]) -> list[Voice]:
    """So that all of them together say 1 of the best root: spaces of embeddings differ in how near their nearest are."""
    most = max(_totals(voices).values(), default=0.0) or 1.0
    return [{root: (said / most, record) for root, (said, record) in voice.items()} for voice in voices]


def _best(store: MemoryStore, vector: Vector, voices: Sequence[Voice], k: int) -> list[Found]:
    totals = _totals(voices)
    names = sorted(totals, key=lambda root: (-totals[root], root))[:k]
    records = store.many(names)
    spoke = {name: max((v[name] for v in voices if name in v), key=lambda s: s[0])[1] for name in names if name in records}
    by = {hit.record.id: hit for hit in _hits(store, vector, spoke.values())}
    return [Found(records[n], totals[n], by[spoke[n].id]) for n in spoke if spoke[n].id in by]


def _hits(store: MemoryStore, vector: Vector, records: Iterable[AnyRecord]) -> Iterator[Hit]:
    kinds: dict[Kind, list[AnyRecord]] = defaultdict(list)
    for record in records:
        kinds[record.kind].append(record)
    for kind, same in kinds.items():
        vectors = store.vectors(kind, [r.id for r in same])
        yield from (Hit(r, float(vectors[r.id] @ vector)) for r in same if r.id in vectors)
