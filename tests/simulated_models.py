"""Labels or answers and predictions with known truth, for tests of comparisons.

A model's logit is the truth, plus what the model class gets wrong on a row (the same on every seed), plus what a seed adds. Of
ranked lists it is the depth at which an answer stands that is so composed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.ranking import LONGEST, Answers

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Rows of a test split: true logits and labels drawn from them."""

    logits: Array
    labels: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int) -> World:
        logits = rng.normal(-1.0, 1.5, rows)
        return cls(logits, (rng.random(rows) < sigmoid(logits)).astype(float))


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def model_runs(
    rng: np.random.Generator, world: World, seeds: int, *, own: float, per_seed: float, uneven: float = 0.0
) -> dict[int, Array]:
    """Predictions (n,) by seed. `own`: the model class's error; `per_seed`: a seed's; `uneven`: how seeds differ in quality."""
    rows = len(world.logits)
    base = world.logits + own * rng.normal(size=rows)
    return {
        s: sigmoid(base + (per_seed + uneven * abs(rng.normal())) * rng.normal(size=rows)).astype(np.float32)
        for s in range(1, seeds + 1)
    }


ANSWERS, FIRST_OTHER = (2, 3), 4  # items that may be right, and the first of those that never are


@dataclass(frozen=True)
class Queries:
    """Queries with one or two answers each; `depth` (Q, 2) is how far down a list they tend to stand, as the log of a place."""

    depth: Array
    answers: Answers

    n_items = FIRST_OTHER + LONGEST

    @classmethod
    def draw(cls, rng: np.random.Generator, queries: int) -> Queries:
        counts = rng.integers(1, 3, queries)
        items = np.concatenate([ANSWERS[:n] for n in counts]).astype(np.int32)
        return cls(rng.normal(3.0, 1.2, (queries, 2)), Answers(np.r_[0, np.cumsum(counts)], items))


def list_runs(
    rng: np.random.Generator,
    queries: Queries,
    seeds: int,
    *,
    own: float = 0.0,
    per_seed: float = 0.0,
    uneven: float = 0.0,
    deeper: float | Array = 0.0,
) -> dict[int, NDArray[np.int32]]:
    """Lists (Q, 100) by seed. `own`, `per_seed`, `uneven` as for labels; `deeper` (a number or (Q, 1)) moves answers down."""
    base = queries.depth + own * rng.normal(size=queries.depth.shape) + deeper
    found = {}
    for seed in range(1, seeds + 1):
        noise = (per_seed + uneven * abs(rng.normal())) * rng.normal(size=base.shape)
        places = np.exp(base + noise).astype(int).clip(0, LONGEST)  # the last: not in the list
        lists = np.tile(np.arange(FIRST_OTHER, FIRST_OTHER + LONGEST + 1, dtype=np.int32), (len(base), 1))
        for item, place in zip(reversed(ANSWERS), places.T[::-1], strict=True):  # where both fall together the first stays
            lists[np.arange(len(base)), place] = item
        found[seed] = lists[:, :LONGEST]
    return found
