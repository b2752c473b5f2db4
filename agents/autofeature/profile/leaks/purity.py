"""Whether some of the rows have only one label, where others have both. Notation: S rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

# Of the exceptions that as many other rows would show, so many at most, by an upper bound: with none seen, about 130 must have
# been expected. A tenth is far below what separates the groups of an honest feature.
PURE = 0.1
COVERED = 0.05  # of the rows with that label, that must lie in the group: fewer are a corner of the table
NEARLY_ALL = 0.9  # of them: the group then is the label

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Pure:
    """A group of `rows` that are `positive` or else negative but for `exceptions`, where `expected` ones would be usual.
    `covered` is the share of all rows with that label that lie in the group."""

    positive: bool
    rows: int
    exceptions: int
    expected: float
    covered: float

    @property
    def whole(self) -> bool:
        return self.covered >= NEARLY_ALL

    def said(self, group: str) -> str:
        label, other = ("positive", "negative") if self.positive else ("negative", "positive")
        return (
            f"of {self.rows:,} rows {group}, {self.exceptions:,} are {other}, where {self.expected:,.0f} would be usual; "
            f"they are {self.covered:.0%} of all {label} rows"
        )

    @property
    def numbers(self) -> dict[str, float]:
        return {"rows": self.rows, "exceptions": self.exceptions, "expected": self.expected, "covered": self.covered}


def purity(group: Bools, labels: Bools, z: float) -> Pure | None:
    """What label the rows of the `group` (S,) all but have, or None. `z` standard errors make chance unlikely."""
    rows, positives = int(group.sum()), int((group & labels).sum())
    rate = float(labels.mean()) if len(labels) else 0.0
    for positive in (True, False):
        exceptions, share = (rows - positives, 1 - rate) if positive else (positives, rate)
        of_label = len(labels) * (rate if positive else 1 - rate)
        expected, covered = rows * share, (rows - exceptions) / of_label if of_label else 0.0
        most = float(chi2.isf(norm.sf(z), 2 * (exceptions + 1)) / 2)  # of a Poisson number, exact
        if expected > 0 and most <= PURE * expected and covered >= COVERED:
            return Pure(positive, rows, exceptions, expected, covered)
    return None
