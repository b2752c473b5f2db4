"""Groups of numbers that lie close together, found exactly. Notation: U distinct numbers, G groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def natural_groups(values: Sequence[float], n_groups: int, least_first: int = 1) -> list[list[int]]:
    """Places of `values` in groups of rising values, those of each group likewise: of all partitions that with the least sum of
    squared distances to the groups' means (Fisher, JASA 1958; "natural breaks").

    Equal values are never parted, so that there may be fewer groups. The first group has at least `least_first` members. The time
    grows with G U^2.
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    edges = [i for i in range(len(order)) if i == 0 or values[order[i]] != values[order[i - 1]]] + [len(order)]
    edges = [e for e in edges if e == 0 or e >= min(least_first, len(order))]  # where a group may end
    ranked = [values[i] for i in order]
    best = {0: (0.0, [0])}  # by where the last group ends: the sum so far, and all ends
    for _ in range(min(n_groups, len(edges) - 1)):
        best = {
            end: min((best[start][0] + _spread(ranked[start:end]), [*best[start][1], end]) for start in best if start < end)
            for end in edges
            if end > min(best)
        }
    ends = best[len(order)][1]
    return [order[a:b] for a, b in pairwise(ends)]


def _spread(values: Sequence[float]) -> float:
    """The sum of squared distances to the mean."""
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values)
