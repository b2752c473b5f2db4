"""Whether columns and positive rates move from window to window, judged against what sampling noise alone would show.

The population stability index says how much a distribution moves, and does not know how many rows it rests on: of two samples
of the same distribution with B cells it is (B - 1)(1/n + 1/m) on average. Whether it moves at all is said by a chi-square test
over all windows, at a level that all columns share (Holm). Notation: W windows, B cells, S rows of the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from agents.autofeature.profile.model import ColumnDrift, Level, RateDrift

LEVEL = 0.01  # that any column of a table which does not move is called drifting
BINS = 10  # quantiles of the first window
TOP = 30  # categories with a cell of their own
FEWEST = 5  # rows that each cell is expected to have in each window, for the chi-square distribution to hold
# Of the index, in common use for credit scores since the 1990s: below the first nothing is done, above the second much is.
MODERATE, LARGE = 0.1, 0.25

Floats = NDArray[np.float64]
Table = NDArray[np.int64]


@dataclass(frozen=True)
class Moved:
    """How a table (W, B) of rows per window and cell moves."""

    psi: tuple[float, ...]
    steps: tuple[float, ...]
    expected: float
    p_value: float


def cells_of_numbers(values: Floats, windows: NDArray[np.int8]) -> NDArray[np.int64]:
    """The cell (S,) of each number: a quantile bin of the first window; missing values have a cell of their own."""
    first = values[(windows == 0) & np.isfinite(values)]
    edges = np.unique(np.quantile(first, np.arange(1, BINS) / BINS)) if len(first) else np.zeros(0)
    cells = np.searchsorted(edges, values, side="left")
    return np.where(np.isfinite(values), cells, len(edges) + 1)


def cells_of_values(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cell (S,) of each value's code: the most frequent ones each, the rest together."""
    counts = np.bincount(codes)
    top = np.argsort(-counts, kind="stable")[:TOP]
    cell = np.full(len(counts), len(top))
    cell[top] = np.arange(len(top))
    return cell[codes]


def moved(cells: NDArray[np.int64], windows: NDArray[np.int8], n_windows: int) -> Moved:
    """`windows` (S,) are coded 0 to W - 1, rows with -1 are left out."""
    inside = windows >= 0
    n_cells = int(cells.max(initial=0)) + 1
    flat = np.bincount(windows[inside].astype(np.int64) * n_cells + cells[inside], minlength=n_windows * n_cells)
    table = _merged(flat.reshape(n_windows, n_cells))
    sizes, n_cells = table.sum(axis=1), table.shape[1]
    if n_cells < 2 or sizes.min() == 0:
        return Moved((0.0,) * n_windows, (0.0,) * (n_windows - 1), 0.0, 1.0)
    return Moved(
        psi=tuple(_index(table[0], row) for row in table),
        steps=tuple(_index(a, b) for a, b in pairwise(table)),
        expected=float((n_cells - 1) * (1 / sizes[0] + 1 / sizes[-1])),
        p_value=homogeneity(table),
    )


def homogeneity(table: Table) -> float:
    """The p value of Pearson's chi-square test that all rows (W, B) are of one distribution; 1 where there is nothing to test."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * (table.sum(axis=0, keepdims=True) / table.sum())
    return float(chi2.sf(((table - expected) ** 2 / expected).sum(), (table.shape[0] - 1) * (table.shape[1] - 1)))


def _merged(table: Table) -> Table:
    """Cells that are too small for the test are one; if they still are, one with the smallest of the others."""
    table = table[:, table.sum(axis=0) > 0]
    if not table.size:
        return table
    expected = table.sum(axis=0) * (table.sum(axis=1).min() / table.sum())
    small = expected < FEWEST
    if not small.any():
        return table
    rest, large = table[:, small].sum(axis=1, keepdims=True), table[:, ~small]
    if expected[small].sum() < FEWEST and large.shape[1]:
        least = int(np.argmin(large.sum(axis=0)))
        large[:, [least]] += rest
        return large
    return np.hstack([large, rest])


def _index(first: NDArray[np.int64], then: NDArray[np.int64]) -> float:
    """The population stability index of two rows (B,) of counts; half a row in each cell keeps an empty one finite."""
    p, q = ((row + 0.5) / (row.sum() + 0.5 * len(row)) for row in (first, then))
    return float(((q - p) * np.log(q / p)).sum())


def judged(found: dict[str, Moved], new: dict[str, tuple[float, ...] | None]) -> tuple[ColumnDrift, ...]:
    """Every column's movement with the judgement, those that move most first."""
    rejected = holm([m.p_value for m in found.values()], LEVEL)
    columns = [
        ColumnDrift(
            column=c,
            psi=m.psi,
            steps=m.steps,
            expected=m.expected,
            p_value=m.p_value,
            drifting=drifting,
            level=_level(max(m.psi)) if drifting else "none",
            new=new.get(c),
        )
        for (c, m), drifting in zip(found.items(), rejected, strict=True)
    ]
    return tuple(sorted(columns, key=lambda c: (not c.drifting, -max(c.psi, default=0.0))))


def rates_moved(tasks: Sequence[str], positives: Table, observed: Table) -> tuple[RateDrift, ...]:
    """Of `positives` and `observed` rows (W, T)."""
    p_values = [homogeneity(np.stack([positives[:, t], observed[:, t] - positives[:, t]], axis=1)) for t in range(len(tasks))]
    drifting = holm(p_values, LEVEL)
    return tuple(RateDrift(task=t, p_value=p, drifting=d) for t, p, d in zip(tasks, p_values, drifting, strict=True))


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Which hypotheses are rejected so that any true one is with a probability of at most `level` (Holm, 1979)."""
    rejected = [False] * len(p_values)
    for place, i in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[i] > level / (len(p_values) - place):
            break
        rejected[i] = True
    return rejected


def _level(psi: float) -> Level:
    return "large" if psi >= LARGE else "moderate" if psi >= MODERATE else "slight"
