"""Calibration of probabilities: what was predicted beside what happened, in bins of equally many rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.strict import Strict


class CalibrationBin(Strict):
    """Rows of similar prediction: their number, mean prediction and share of positives."""

    rows: int
    predicted: float
    observed: float


def calibration(labels: NDArray[np.floating], probabilities: NDArray[np.floating], bins: int = 15) -> tuple[CalibrationBin, ...]:
    """Quantile bins of the predictions, lowest first; labels and probabilities are (n,), without NaN.

    Equal predictions never part: a bin's edge moves up to the end of the run of ties it falls into, so there may be fewer
    bins than asked for.
    """
    if not len(labels):
        return ()
    order = np.argsort(probabilities, kind="stable")
    p, y = probabilities[order].astype(np.float64), labels[order].astype(np.float64)
    cuts = np.searchsorted(p, p[np.linspace(0, len(p), bins + 1)[1:-1].astype(int)], side="left")
    starts = np.unique(np.concatenate([[0], cuts]))
    sizes = np.diff(np.append(starts, len(p)))
    predicted, observed = np.add.reduceat(p, starts) / sizes, np.add.reduceat(y, starts) / sizes
    return tuple(
        CalibrationBin(rows=int(n), predicted=float(a), observed=float(b))
        for n, a, b in zip(sizes, predicted, observed, strict=True)
    )
