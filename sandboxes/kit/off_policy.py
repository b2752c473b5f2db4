"""What a policy is worth by decisions that another one took: estimates from logged actions, propensities and rewards.

A row's weight is the policy's probability of the action taken over the propensity, at most `MOST_WEIGHT`: of decisions that the
logging policy hardly ever takes there are few, and each alone would carry the estimate (Ionides, J. Comput. Graph. Stat. 2008).
Notation: n rows, I ids of actions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_WEIGHT = 100.0

Floats = NDArray[np.float64]


def weights_of(policy: NDArray[np.floating], actions: NDArray[np.integer], propensity: NDArray[np.floating]) -> Floats:
    """The weight (n,) of each row under a `policy` (n, I); `actions` (n,) were taken with `propensity` (n,)."""
    taken = policy[np.arange(len(actions)), actions].astype(np.float64)
    return np.asarray(np.minimum(taken / propensity, MOST_WEIGHT))


def inverse_propensity_value(weights: Floats, rewards: NDArray[np.floating]) -> float:
    """The mean reward a decision, as the sum of w r over n: unbiased but for the largest weights, and of great variance.

    Source: Horvitz and Thompson, JASA 1952.
    """
    return float((weights * rewards).mean())


def self_normalised_value(weights: Floats, rewards: NDArray[np.floating]) -> float:
    """The same as the sum of w r over the sum of w: always between the least and the greatest reward; NaN without any weight.

    Source: Swaminathan and Joachims, NeurIPS 2015.
    """
    total = weights.sum()
    return float((weights * rewards).sum() / total) if total > 0 else float("nan")


def effective_sample_size(weights: Floats) -> float:
    """How many rows of equal weight would say as much: (sum of w)^2 over the sum of w^2; 0 without any weight.

    Source: Kong, "A note on importance sampling using standardized weights", 1992.
    """
    total = np.square(weights).sum()
    return float(np.square(weights.sum()) / total) if total > 0 else 0.0
