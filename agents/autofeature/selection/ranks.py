"""Scores as what they have in common: ranks, and the fields at the top.

Notation: d fields.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata, spearmanr

from agents.autofeature.selection.method import Scores

Floats = NDArray[np.float64]


def scored_by_all(scores: Sequence[Scores]) -> tuple[str, ...]:
    """The fields that have a score from each, in the order of the first."""
    common = set.intersection(*(set(s.values) for s in scores)) if scores else set()
    return tuple(f.field for f in scores[0].fields if f.field in common) if scores else ()


def values_of(scores: Scores, fields: Sequence[str]) -> Floats:
    """The scores (d,) of these fields."""
    values = scores.values
    return np.array([values[f] for f in fields], dtype=np.float64)


def normalised(values: Floats) -> Floats:
    """Ranks (d,) from 0, the least useful, to 1; equal ones share their mean; .5 for a single one."""
    if len(values) < 2:
        return np.full(len(values), 0.5)
    return np.asarray((rankdata(values) - 1) / (len(values) - 1))


def top_of(values: Floats, top: int) -> NDArray[np.bool_]:
    """Which (d,) are among the `top` highest. Of equal ones at the border none is: there is nothing to choose between them by."""
    if top >= len(values):
        return np.ones(len(values), dtype=np.bool_)
    border = np.sort(values)[::-1][top]  # the highest that has no place
    return np.asarray(values > border)


def kendall(some: Floats, others: Floats) -> float | None:
    """Tau-b, which allows for ties; None where one of the two says nothing, all its scores being equal."""
    return None if _flat(some) or _flat(others) else float(np.clip(kendalltau(some, others).statistic, -1, 1))


def spearman(some: Floats, others: Floats) -> float | None:
    """The correlation of ranks; None where one of the two says nothing."""
    return None if _flat(some) or _flat(others) else float(np.clip(spearmanr(some, others).statistic, -1, 1))


def _flat(values: Floats) -> bool:
    return len(values) < 2 or bool((values == values[0]).all())
