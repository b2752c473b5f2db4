"""Holm's correction over several comparisons: at which level each may be judged, so that one false call in all is rare."""

from __future__ import annotations

from collections.abc import Sequence


def holm_levels(p_values: Sequence[float], alpha: float) -> tuple[float, ...]:
    """The level of each test in the order given: a test rejects exactly when its p-value is at most its level.

    Step down from the smallest p-value with alpha/k, alpha/(k-1), ...; the first that fails fixes the level of the rest.
    An interval at a test's own level therefore excludes 0 exactly when Holm's procedure rejects.
    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    levels = [0.0] * len(p_values)
    failed: float | None = None
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        level = failed if failed is not None else alpha / (len(p_values) - rank)
        levels[i] = level
        if p_values[i] > level:
            failed = level
    return tuple(levels)


def holm_adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values after the correction, in the order given: at most alpha exactly where Holm's procedure at alpha rejects."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, p_values[i] * (len(p_values) - rank)))
        adjusted[i] = largest
    return tuple(adjusted)
