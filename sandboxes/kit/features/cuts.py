"""Where to cut a number into bins. Notation: n values, K cuts; a value belongs to the bin above the cuts that it reaches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.features.tree_cuts import tree_cuts

Floats = NDArray[np.float64]
Way = Callable[[Floats, Floats], Floats]  # values and labels to cuts
FOLDS = 4
SMOOTHED = 1.0  # rows of the mean rate that each bin is given
COARSER = (1, 2, 4, 8)  # times fewer bins that are tried


def equal_frequency(values: Floats, bins: int) -> Floats:
    """Cuts (K,), K < bins, at quantiles of finite values (n,); a value that fills several bins has one."""
    found = np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf")
    return np.unique(found[found > values.min()])


def logarithmic(values: Floats, bins: int) -> Floats:
    """Cuts (K,), K < bins, at equal steps of sign(x) log2(1 + |x|), the steps a doubling a power of two."""
    sizes = _sizes(np.array([values.min(), values.max()]))
    steps = 2.0 ** np.floor(np.log2(max(1.0, bins - 1) / max(sizes[1] - sizes[0], 1e-9)))
    places = np.arange(np.floor(sizes[0] * steps) + 1, np.floor(sizes[1] * steps) + 1)[: bins - 1] / steps
    return np.asarray(np.sign(places) * (np.exp2(np.abs(places)) - 1))


def _sizes(values: Floats) -> Floats:
    return np.asarray(np.sign(values) * np.log2(1 + np.abs(values)))


def best_cuts(values: Floats, labels: Floats, folds: NDArray[np.int64], bins: int) -> Floats:
    """Those of the ways to cut, at `bins` bins and fewer, that predict held-out labels (n,) best by the rate of each bin.

    `folds` (n,) lie below `FOLDS`."""
    ways = _ways(sorted({max(2, bins // times) for times in COARSER}))
    losses = [sum(_held_out_loss(way, values, labels, folds == fold) for fold in range(FOLDS)) for way in ways]
    return ways[int(np.argmin(losses))](values, labels)


def _ways(numbers: list[int]) -> list[Way]:
    """Every way to cut at each of the numbers of bins."""

    def blind(cut: Callable[[Floats, int], Floats], bins: int) -> Way:
        return lambda values, labels: cut(values, bins)

    def seeing(bins: int) -> Way:
        return lambda values, labels: tree_cuts(values, labels, bins)

    return [blind(cut, n) for n in numbers for cut in (equal_frequency, logarithmic)] + [seeing(n) for n in numbers]


def _held_out_loss(way: Way, values: Floats, labels: Floats, out: NDArray[np.bool_]) -> float:
    """The sum of log losses of the rows `out` by rates of the others."""
    if out.all() or not out.any():
        return 0.0
    cuts = way(values[~out], labels[~out])
    inside, asked = (np.searchsorted(cuts, values[which], side="right") for which in (~out, out))
    rows, positives = np.bincount(inside, minlength=len(cuts) + 1), np.bincount(inside, labels[~out], len(cuts) + 1)
    mean = np.clip(labels[~out].mean(), 1e-6, 1 - 1e-6)
    p = ((positives + SMOOTHED * mean) / (rows + SMOOTHED))[asked]
    return float(-(labels[out] * np.log(p) + (1 - labels[out]) * np.log1p(-p)).sum())
