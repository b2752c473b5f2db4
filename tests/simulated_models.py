"""Labels and predictions with known truth, for tests of comparisons.

A model's logit is the truth, plus what the model class gets wrong on a row (the same on every seed), plus what a seed adds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
