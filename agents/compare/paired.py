"""The paired difference of a metric between two models over shared seeds and shared test rows, with its uncertainty.

An interval here is about new seeds and new rows from where the test rows came; the training rows stay as they are.

Let d_s be the difference on seed s. The mean over n seeds errs for two reasons, whose variances add:

    seeds: var(d_s) / n          another initialisation and order of batches
    rows:  sum_g u_g^2           other test rows; u_g is the influence of user g (or of row g) on the seed-mean difference

Both terms contain the interaction of seeds with rows once, so that their sum errs on the wide side. The critical value is
Cochran and Cox's: the mean of the two t quantiles, weighted by the variances. Satterthwaite's degrees of freedom, the usual
choice, call up to 7.8 % of equal models different at 3 seeds, where most of the variance is that of seeds and a small
var(d_s) passes for many degrees of freedom; Cochran and Cox's value stays at or below 5 % for every mixture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

from agents.compare.influence import summed_by_group

Array = NDArray[np.float64]
LEAST_P = 1e-12  # below it a p-value says nothing more


@dataclass(frozen=True)
class Paired:
    """Candidate minus baseline, in the metric's own direction. `per_seed` follows the order of the runs given."""

    estimate: float
    per_seed: tuple[float, ...]
    seed_variance: float  # of the mean over seeds
    row_variance: float  # of the mean over seeds
    seed_degrees: float
    row_degrees: float

    @property
    def standard_error(self) -> float:
        return float(np.sqrt(self.seed_variance + self.row_variance))

    @property
    def p_value(self) -> float:
        """Two-sided, of no difference: the alpha whose interval ends at 0. Without any variance 1 for equal models, else 0."""
        if self.standard_error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        ratio = abs(self.estimate) / self.standard_error
        if ratio >= self._critical(LEAST_P):
            return LEAST_P
        return float(brentq(lambda alpha: self._critical(alpha) - ratio, LEAST_P, 1.0, xtol=LEAST_P, rtol=1e-9))

    def interval(self, alpha: float) -> tuple[float, float]:
        """The interval that holds the true difference with probability at least 1 - alpha."""
        half = self._critical(alpha) * self.standard_error if self.standard_error else 0.0
        return self.estimate - half, self.estimate + half

    def _critical(self, alpha: float) -> float:
        seeds, rows = -stdtrit((self.seed_degrees, self.row_degrees), alpha / 2)
        return float((self.seed_variance * seeds + self.row_variance * rows) / (self.seed_variance + self.row_variance))


@dataclass(frozen=True)
class Runs:
    """One model's runs reduced to what comparisons need: the metric of each run, and row components averaged over runs."""

    values: Array  # (S,)
    rows: Array  # (n,)


def paired_difference(
    candidate: Runs, baseline: Runs, influence: Callable[[Array], Array], groups: NDArray[np.int64] | None = None
) -> Paired:
    """The difference and its two variances. Needs at least two seeds and two rows; same seeds in the same order.

    `influence` says what a difference of row components (n,) adds to the error of the metric's; `groups` (n,) names users.
    """
    d = candidate.values - baseline.values
    u = summed_by_group(influence(candidate.rows - baseline.rows), groups)
    seeds, rows = float(d.var(ddof=1)) / len(d), float((u**2).sum())
    return Paired(
        estimate=float(d.mean()),
        per_seed=tuple(float(x) for x in d),
        seed_variance=seeds,
        row_variance=rows,
        seed_degrees=float(len(d) - 1),
        row_degrees=_row_degrees(u),
    )


def _row_degrees(u: Array) -> float:
    """Degrees of freedom of sum(u^2): 2 mean^2 / variance of the estimate, at most G - 1. A few dominant users leave few."""
    total, fourth, count = float((u**2).sum()), float((u**4).sum()), len(u)
    spread = fourth - total**2 / count
    return float(np.clip(2 * total**2 / spread, 1, count - 1)) if spread > 0 else float(count - 1)
