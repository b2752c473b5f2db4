"""Two paths to what is remembered: what is familiar is known at once, what is not is recalled step by step.

A probe looks at the nearest records. Where they are near on the whole, or some stand out, they are the answer. Otherwise they
are clustered, the query is turned towards each cluster, and what is nearest to these mixed queries is clustered in its turn, for
a bounded number of rounds (after RF-Mem: familiarity by mean and entropy, recollection by clusters and mixing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

import numpy as np

from memory.index import Vector
from memory.narrowing import Only
from memory.records import Kind
from memory.retrieval.clusters import centroids, mixed
from memory.retrieval.familiarity import uncertainty
from memory.retrieval.search import Scored
from memory.store import MemoryStore

Found = Mapping[str, float]  # the similarity by id of what one query found, nearest first


@dataclass(frozen=True)
class TwoPath:
    """A `Search`; it asks the store at most `1 + rounds * clusters` times for what is near.

    `fuse` says how the answers become one score: "best" is the highest similarity to any of the queries, "mean" that to all of
    them, where what a query did not find counts as the last that it found.
    """

    probed: int = 10
    surely: float = 0.35  # mean similarity from which on a query is familiar
    hardly: float = 0.15  # and up to which it is not; in between the entropy decides
    temperature: float = 0.05
    peaked: float = 0.5  # uncertainty up to which some stand out
    clusters: int = 3
    rounds: int = 2
    kept: float = 0.7  # of the query in a mixed one
    fuse: Literal["best", "mean"] = "mean"

    def __call__(self, store: MemoryStore, vector: Vector, kind: Kind, k: int, only: Only) -> list[Scored]:
        probe: Found = dict(store.nearest(vector, kind, max(k, self.probed), only))
        if not self.familiar(list(probe.values())[: self.probed]):
            probe = self._recollected(store, vector, kind, k, only, probe)
        return [Scored(*found) for found in list(probe.items())[:k]]

    def familiar(self, similarities: Sequence[float]) -> bool:
        """By the probe's similarities; nothing at all leaves nothing to recollect."""
        if not similarities:
            return True
        mean, peaked = fmean(similarities), uncertainty(similarities, self.temperature) <= self.peaked
        return mean >= self.surely or (mean > self.hardly and peaked)

    def _recollected(self, store: MemoryStore, vector: Vector, kind: Kind, k: int, only: Only, probe: Found) -> Found:
        answers = [probe]
        scores = fused(answers, self.fuse)
        for _ in range(self.rounds):
            vectors = store.vectors(kind, list(scores)[: self.probed])
            for centre in centroids(np.stack(list(vectors.values())), self.clusters):
                near = store.nearest(mixed(vector, centre, self.kept), kind, max(k, self.probed), only)
                answers.append(dict(near))
            before, scores = scores, fused(answers, self.fuse)
            if before.keys() == scores.keys():
                break  # nothing new came to mind
        return scores


def fused(answers: Sequence[Found], how: Literal["best", "mean"]) -> Found:
    """One score for each id that any of the answers holds, the highest first."""
    heard = [answer for answer in answers if answer]
    lasts = [min(answer.values()) for answer in heard]
    names = dict.fromkeys(name for answer in heard for name in answer)
    if how == "best":
        scores = {name: max(answer[name] for answer in heard if name in answer) for name in names}
    else:
        scores = {name: fmean(a.get(name, last) for a, last in zip(heard, lasts, strict=True)) for name in names}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
