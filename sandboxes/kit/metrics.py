"""Metrics over whole splits. Notation: n rows; labels are 0 or 1, NaN where unobserved (such rows are dropped)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

CLIP = 1e-7  # keeps the log loss of a probability of exactly 0 or 1 finite

Floats = NDArray[np.float64]


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The area under the ROC curve, exact: P(score of a positive > score of a negative) + P(equal) / 2. NaN with one class only.

    `labels` (n,), `scores` (n,) of any finite real values.
    """
    y, s = _observed(labels, scores)
    positives = y.sum()
    negatives = len(y) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    return float((_ranks(s)[y == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log likelihood, in nats a row, of probabilities clipped to [1e-7, 1 - 1e-7]. NaN without rows."""
    y, p = _observed(labels, probabilities)
    if len(y) == 0:
        return float("nan")
    p = p.clip(CLIP, 1 - CLIP)
    return float(-(y * np.log(p) + (1 - y) * np.log1p(-p)).mean())


def group_auc(labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> float:
    """The mean over groups of each one's AUC, weighted by its rows; groups with one class are left out. NaN if all are.

    `groups` (n,) int64, usually users: whether a user's own items are in the right order (Zhou et al., KDD 2018, eq. 7).
    """
    g = np.asarray(groups)[~np.isnan(np.asarray(labels, dtype=np.float64))]
    y, s = _observed(labels, scores)
    if len(y) == 0:
        return float("nan")
    order = np.lexsort((s, g))
    y, s, g = y[order], s[order], np.unique(g[order], return_inverse=True)[1]
    starts = np.flatnonzero(np.r_[True, np.diff(g) > 0])
    sizes = np.diff(np.r_[starts, len(g)])
    new_value = np.r_[True, (np.diff(s) != 0) | (np.diff(g) != 0)]
    ranks = _tie_means(new_value) - np.repeat(starts, sizes)  # 1-based within the group
    positives = np.add.reduceat(y, starts)
    negatives = sizes - positives
    both = (positives > 0) & (negatives > 0)
    if not both.any():
        return float("nan")
    sums = np.add.reduceat(np.where(y == 1, ranks, 0.0), starts)[both]
    p, n = positives[both], negatives[both]
    return float(np.average((sums - p * (p + 1) / 2) / (p * n), weights=sizes[both]))


def _observed(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    y, s = np.asarray(labels, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if y.shape != s.shape or y.ndim != 1:
        raise ValueError(f"labels {y.shape} and scores {s.shape} must be vectors of the same length")
    seen = ~np.isnan(y)
    return y[seen], s[seen]


def _ranks(scores: Floats) -> Floats:
    """1-based ranks (n,), equal scores sharing their mean."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    ranks = np.empty(len(scores))
    ranks[order] = _tie_means(np.r_[True, ordered[1:] != ordered[:-1]])
    return ranks


def _tie_means(new_value: NDArray[np.bool_]) -> Floats:
    """Mean 1-based positions (n,) of runs of equal values in sorted order; `new_value` marks where each run begins."""
    starts = np.flatnonzero(new_value)
    ends = np.r_[starts[1:], len(new_value)]
    return np.repeat((starts + 1 + ends) / 2, ends - starts)
