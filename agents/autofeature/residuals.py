"""What a model has not understood: out-of-sample residuals on train rows, and whether a column explains any of them.

With residual r = y - p and the variance v = p (1 - p) of each row, rows of one value of a column that the model has understood
have residuals without correlation. U sums r_i r_j over pairs of different rows of one value; where nothing is left to explain it
has mean 0 and variance 2 sum_c ((sum v)^2 - sum v^2), and so z = U / sd. That is the score test of a variance component (Lin,
"Variance component testing in generalised linear models with random effects", 1997), which holds however rare the values are.
tau^2 = U / sum_c ((sum v)^2 - sum v^2) estimates the variance of what the values would add to the logit.

Notation: n rows, K values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit as sigmoid

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
DENSE = 1 << 22  # values up to which counting is cheaper than sorting


@dataclass(frozen=True)
class Explained:
    """`z` is about standard normal where the column explains nothing; `variance` that of the logits it would add, at least 0."""

    z: float
    variance: float


@dataclass(frozen=True)
class Residuals:
    """Of train rows (`rows` (n,), numbers within train) that the model did not see: labels (n,) and logits (n,)."""

    rows: NDArray[np.int64]
    labels: Floats
    logits: Floats

    def explained_by(self, codes: Codes) -> Explained:
        """By the values (n,) of a column, as whole numbers from 0."""
        return _explained(self.labels, self.logits, codes)

    def explained_together(self, first: Codes, second: Codes) -> Explained:
        """By two columns together, over what each of them explains alone."""
        logits = self.logits
        for codes in (first, second):
            logits = logits + effects(self.labels, logits, codes)[codes]
        return _explained(self.labels, logits, pairs(first, second))


def pairs(first: Codes, second: Codes) -> Codes:
    """A whole number from 0 for each pair of values (n,)."""
    width = int(second.max(initial=0)) + 1
    joint = first * width + second
    if (int(first.max(initial=0)) + 1) * width <= DENSE:
        return joint
    return np.asarray(np.unique(joint, return_inverse=True)[1], dtype=np.int64)


def _explained(labels: Floats, logits: Floats, codes: Codes) -> Explained:
    p = sigmoid(logits)
    r, v = labels - p, p * (1 - p)
    by_value = np.bincount(codes, r), np.bincount(codes, v)
    cross = float((by_value[0] ** 2).sum() - (r**2).sum())
    weight = float((by_value[1] ** 2).sum() - (v**2).sum())
    if weight <= 1e-9:  # every row has a value of its own: nothing can be said
        return Explained(0.0, 0.0)
    return Explained(cross / np.sqrt(2 * weight), max(cross / weight, 0.0))


def effects(labels: Floats, logits: Floats, codes: Codes) -> Floats:
    """What each value (K,) adds to the logit, drawn towards 0 by how much the values differ at all."""
    found = _explained(labels, logits, codes)
    p = sigmoid(logits)
    r, v = np.bincount(codes, labels - p), np.bincount(codes, p * (1 - p))
    return np.zeros(len(r)) if found.variance == 0 else np.asarray(r / (v + 1 / found.variance))
