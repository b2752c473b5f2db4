"""How well labelled queries are answered: recall@5 and nDCG@10, halves of the queries, and paired differences with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from bench.remembered import Query
from numpy.typing import NDArray

from memory.narrowing import ANYTHING
from memory.retrieval import Retriever
from memory.store import MemoryStore

RECALL_AT, NDCG_AT = 5, 10
SPLIT_SEED, BOOTSTRAP_SEED, RESAMPLED = 1, 7, 10_000
MEASURES = (f"recall@{RECALL_AT}", f"nDCG@{NDCG_AT}")
GROUPS: dict[str, Callable[[Query], bool]] = {
    "papers, easy": lambda q: q.root == "paper" and q.difficulty == "easy",
    "papers, hard": lambda q: q.root == "paper" and q.difficulty == "hard",
    "runs, easy": lambda q: q.root == "run" and q.difficulty == "easy",
    "runs, hard": lambda q: q.root == "run" and q.difficulty == "hard",
}
CELLS: dict[str, Callable[[Query], bool]] = {
    **GROUPS,
    "all easy": lambda q: q.difficulty == "easy",
    "all hard": lambda q: q.difficulty == "hard",
    "papers by an abstract": lambda q: q.difficulty == "abstract",
}

Scores = NDArray[np.float64]  # (queries, measures)


@dataclass(frozen=True)
class Interval:
    """A mean difference and its 95% interval by bootstrap over queries."""

    mean: float
    low: float
    high: float


def halves(queries: Sequence[Query]) -> tuple[list[Query], list[Query]]:
    """A fixed split, even in what is asked for and how hard it is: parameters are chosen on the first, the second is reported."""
    random, first, second = np.random.default_rng(SPLIT_SEED), [], []
    for stratum in sorted({(q.root, q.difficulty) for q in queries}):
        same = [q for q in queries if (q.root, q.difficulty) == stratum]
        order = random.permutation(len(same))
        first += [same[i] for i in order[: len(same) // 2]]
        second += [same[i] for i in order[len(same) // 2 :]]
    return first, second


def answered(store: MemoryStore, retriever: Retriever, queries: Sequence[Query]) -> Scores:
    return np.array([measures(q.relevant, asked(store, retriever, q)) for q in queries])


def asked(store: MemoryStore, retriever: Retriever, query: Query) -> list[str]:
    """Ids of what is found, the best first."""
    found = retriever(store, query.text, query.root, NDCG_AT + bool(query.itself), ANYTHING)
    return [f.record.id for f in found if f.record.id != query.itself]


def measures(relevant: frozenset[str], found: Sequence[str]) -> tuple[float, float]:
    """Recall@5, of all that is relevant, and nDCG@10 of ids in their order."""
    right = [name in relevant for name in found[:NDCG_AT]]
    gain = sum(hit / log2(place + 2) for place, hit in enumerate(right))
    ideal = sum(1 / log2(place + 2) for place in range(min(NDCG_AT, len(relevant))))
    return sum(right[:RECALL_AT]) / len(relevant), gain / ideal


def of_cell(cell: str, queries: Sequence[Query], scores: Scores) -> Scores:
    return scores[[i for i, q in enumerate(queries) if CELLS[cell](q)]]


def difference(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Interval:
    """Of the same queries (n,) answered in two ways."""
    differences = ours - theirs
    random = np.random.default_rng(BOOTSTRAP_SEED)
    means = differences[random.integers(0, len(differences), (RESAMPLED, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(differences.mean()), float(low), float(high))
