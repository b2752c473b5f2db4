"""How much each test row moves a metric difference: the raw material of row-sampling variance.

Notation: n rows, m positives, k negatives, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.metrics import CLIP

Array = NDArray[np.float64]


def placements(labels: NDArray[np.floating] | NDArray[np.bool_], scores: NDArray[np.floating]) -> Array:
    """DeLong's structural components (n,): for a positive row the share of negatives it outranks, for a negative row the
    share of positives that outrank it, ties counting one half. The mean over either class is the AUC.

    Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated ROC curves", 1988.
    """
    positive = labels == 1
    up, down = np.sort(scores[positive]), np.sort(scores[~positive])
    found = np.empty(len(scores))
    found[positive] = _share_below(down, scores[positive])
    found[~positive] = 1.0 - _share_below(up, scores[~positive])
    return found


def _share_below(ordered: NDArray[np.floating], values: NDArray[np.floating]) -> Array:
    below = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return np.asarray(below / (2.0 * len(ordered)), dtype=np.float64)


def row_log_loss(labels: NDArray[np.floating], probabilities: NDArray[np.floating]) -> Array:
    """Each row's log loss (n,), probabilities clipped as the scorer clips them."""
    p = np.clip(probabilities.astype(np.float64), CLIP, 1 - CLIP)
    return np.asarray(-(labels * np.log(p) + (1 - labels) * np.log1p(-p)), dtype=np.float64)


def auc_parts(labels: NDArray[np.floating], runs: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
    """The AUC of each run (S,) and the placements of rows averaged over runs (n,)."""
    positive = labels == 1
    each = [placements(labels, scores) for scores in runs]
    return np.array([v[positive].mean() for v in each]), np.mean(each, axis=0)


def mean_parts(runs: Sequence[Array]) -> tuple[Array, Array]:
    """Of a metric that is the mean of a value a row: that of each run (S,), and the rows' values averaged over runs (n,)."""
    return np.array([v.mean() for v in runs]), np.mean(runs, axis=0)


def ratio_parts(weights: Sequence[Array], values: NDArray[np.floating]) -> tuple[Array, Array]:
    """Of a metric that is a weighted mean of `values` (n,), each run with `weights` (n,) of its own: that of each run (S,), and
    linearised values (n,) averaged over runs, m + w (v - m) / mean w with the metric m. A mean of such is the metric to first
    order, and so are differences of them (the delta method for a ratio; Owen, "Monte Carlo theory, methods and examples", 9.2).
    """
    runs = np.array([(w * values).sum() / w.sum() for w in weights])
    lines = [m + w * (values - m) / w.mean() for m, w in zip(runs, weights, strict=True)]
    return runs, np.mean(lines, axis=0)


def auc_influence(labels: NDArray[np.floating], difference: Array) -> Array:
    """What each row adds to the error of an AUC difference, given its difference of mean placements (n,); sums to zero.

    With every row its own cluster, the sum of squares is DeLong's variance of a paired difference (up to m/(m-1) and
    k/(k-1)); summed over users first, it is Obuchowski's for clustered rows ("Nonparametric analysis of clustered ROC
    curve data", 1997).
    """
    positive = labels == 1
    m, k = int(positive.sum()), int((~positive).sum())
    found = difference.copy()
    found[positive] = (difference[positive] - difference[positive].mean()) * _unbiased(m)
    found[~positive] = (difference[~positive] - difference[~positive].mean()) * _unbiased(k)
    return found


def _unbiased(count: int) -> float:
    """1/count with the small-sample factor of a variance."""
    return float(np.sqrt(count / (count - 1)) / count)


def mean_influence(difference: Array) -> Array:
    """What each row adds to the error of a mean of row differences (n,); sums to zero."""
    return np.asarray((difference - difference.mean()) * _unbiased(len(difference)), dtype=np.float64)


def summed_by_group(influence: Array, groups: NDArray[np.int64] | None) -> Array:
    """Influence summed over the rows of each group (G,), corrected for few groups; the rows themselves without groups."""
    if groups is None:
        return influence
    _, place = np.unique(groups, return_inverse=True)
    sums = np.bincount(place, weights=influence)
    return np.asarray(sums * np.sqrt(len(sums) / max(len(sums) - 1, 1)), dtype=np.float64)
