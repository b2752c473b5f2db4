"""Labels, answers or decisions, and predictions with known truth, for tests of comparisons.

A model's logit is the truth, plus what the model class gets wrong on a row (the same on every seed), plus what a seed adds. Of
ranked lists it is the depth at which an answer stands that is so composed, of policies the log-odds of every action's reward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.compare import PolicyTruth
from sandboxes.kit.ranking import LONGEST, Answers
from sandboxes.kit.schema import FIRST_ID

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


@dataclass(frozen=True)
class Logged:
    """Decisions of a logging policy (n, I) that knows a little of the true rewards (n, I), and what came of them (n,)."""

    logging: NDArray[np.float32]
    chances: Array  # of a reward, by action; 0 where there is none
    actions: NDArray[np.int32]
    propensity: NDArray[np.float32]
    rewards: NDArray[np.float32]

    n_items = 8

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int, following: float = 0.7) -> Logged:
        logits = rng.normal(-1.0, 1.0, (rows, cls.n_items - FIRST_ID))
        logging = softmax(following * logits + 0.5 * rng.normal(size=logits.shape))
        actions = (logging.cumsum(1) < rng.random((rows, 1))).sum(1).clip(FIRST_ID, cls.n_items - 1).astype(np.int32)
        own = np.arange(rows), actions
        chances = np.pad(sigmoid(logits), ((0, 0), (FIRST_ID, 0)))
        return cls(logging, chances, actions, logging[own], (rng.random(rows) < chances[own]).astype(np.float32))

    def truth(self, users: NDArray[np.int64] | None = None) -> PolicyTruth:
        return PolicyTruth(self.actions, self.propensity, self.rewards, self.n_items, groups=users)

    def value(self, policy: NDArray[np.floating]) -> float:
        """The true value of a policy (n, I) in these contexts."""
        return float((policy * self.chances).sum(1).mean())


def policy_runs(
    rng: np.random.Generator,
    logged: Logged,
    seeds: int,
    *,
    own: float | Array = 0.0,
    per_seed: float = 0.0,
    uneven: float = 0.0,
    sharpness: float = 1.5,
) -> dict[int, NDArray[np.float32]]:
    """Policies (n, I) by seed, the softmax of what a model takes for the log-odds of rewards; `own` (a number or (n, 1)),
    `per_seed` and `uneven` as for labels."""
    chances = logged.chances[:, FIRST_ID:]
    base = np.log(chances / (1 - chances))
    base = base + own * rng.normal(size=base.shape)
    found = {}
    for seed in range(1, seeds + 1):
        noise = (per_seed + uneven * abs(rng.normal())) * rng.normal(size=base.shape)
        found[seed] = softmax(sharpness * (base + noise))
    return found


def softmax(scores: Array) -> NDArray[np.float32]:
    """Probabilities (n, I) of scores of known actions, as models hand them in."""
    odds = np.exp(scores - scores.max(1, keepdims=True))
    return np.pad(odds / odds.sum(1, keepdims=True), ((0, 0), (FIRST_ID, 0))).astype(np.float32)
