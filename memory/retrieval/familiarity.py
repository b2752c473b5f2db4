"""How sure a list of similarities is: the entropy of what a softmax makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]  # (n,)


def probabilities(scores: Sequence[float], temperature: float) -> Probabilities:
    """Softmax of scores (n,); the lower the temperature, the more the highest stand out."""
    x = np.asarray(scores, np.float64) / temperature
    e = np.exp(x - x.max(initial=-np.inf))
    shares: Probabilities = e / e.sum()
    return shares


def uncertainty(scores: Sequence[float], temperature: float) -> float:
    """Entropy of the softmax over its maximum: 0 where one stands alone, 1 where all are alike; 1 for fewer than two."""
    if len(scores) < 2:
        return 1.0
    p = probabilities(scores, temperature)
    entropy = -float((p * np.log(np.maximum(p, 1e-300))).sum())
    return min(max(entropy / float(np.log(len(p))), 0.0), 1.0)
