"""Cut points by a tree on one number: a split at a time, the best of all leaves first. Notation: n values, K cuts, H pieces.

Breiman, Friedman, Olshen and Stone, "Classification and regression trees" (1984), with deviance for impurity.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PIECES = 512  # of equal frequency, between which it may cut
FEWEST = 20  # rows of a leaf
WORTH = 6.63 / 2  # deviance that a split must gain, halved: the 1 % point of chi-square at one degree of freedom


def tree_cuts(values: Floats, labels: Floats, bins: int) -> Floats:
    """Cuts (K,), K < bins, of finite values (n,) by their labels (n,) in {0, 1}; none where none is worth it."""
    borders = np.unique(np.quantile(values, np.arange(1, PIECES) / PIECES, method="inverted_cdf"))
    place = np.searchsorted(borders, values, side="right")
    rows, positives = np.bincount(place, minlength=len(borders) + 1), np.bincount(place, labels, len(borders) + 1)
    sums = np.concatenate([[0], np.cumsum(rows)]), np.concatenate([[0], np.cumsum(positives)])
    found: list[int] = []
    leaves = [_best(*sums, 0, len(rows))]
    while leaves and len(found) < bins - 1:
        gain, at, first, last = heapq.heappop(leaves)
        if -gain < WORTH:
            break
        found.append(at)
        for part in ((first, at), (at, last)):
            heapq.heappush(leaves, _best(*sums, *part))
    return np.sort(borders[np.array(found, dtype=np.int64) - 1])


def _best(rows: Floats, positives: Floats, first: int, last: int) -> tuple[float, int, int, int]:
    """The split of the pieces from `first` up to `last` that gains most: minus its gain, where, and the pieces again."""
    at = np.arange(first + 1, last)
    left = rows[at] - rows[first], positives[at] - positives[first]
    right = rows[last] - rows[at], positives[last] - positives[at]
    fits = (left[0] >= FEWEST) & (right[0] >= FEWEST)
    if not fits.any():
        return 0.0, first, first, last
    whole = _likelihood(np.array([rows[last] - rows[first]]), np.array([positives[last] - positives[first]]))
    gains = np.where(fits, _likelihood(*left) + _likelihood(*right) - whole, -np.inf)
    best = int(np.argmax(gains))
    return -float(gains[best]), int(at[best]), first, last


def _likelihood(rows: Floats, positives: Floats) -> Floats:
    """The log likelihood of labels under their own rate."""
    p = np.clip(positives / np.maximum(rows, 1), 1e-12, 1 - 1e-12)
    return np.asarray(positives * np.log(p) + (rows - positives) * np.log1p(-p))
