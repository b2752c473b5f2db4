"""Numeric columns to about zero mean and unit variance, fitted on training rows only. Notation: n rows, B rows of a block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandboxes.kit.data.spec import Transform

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scaler:
    """`(transformed x - mean) / std`; a missing or infinite x becomes 0 after it, which is the mean of train."""

    transform: Transform
    mean: float
    std: float

    def apply(self, values: Floats) -> NDArray[np.float32]:
        """Scaled values (n,), all finite. With the transform "none" only missing values change: they become the mean."""
        x = _transformed(self.transform, values)
        if self.transform == "none":
            return np.where(np.isfinite(x), x, self.mean).astype(np.float32)
        return np.where(np.isfinite(x), (x - self.mean) / self.std, 0.0).astype(np.float32)


def fit_scaler(train: Iterable[Floats], transform: Transform) -> Scaler:
    """The scaler of a column's training rows, (B,) at a time, NaN = missing. A constant or empty column scales to 0.

    Blocks are joined as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
    (1979), eq. 2.1, so that no precision is lost where the mean is large.
    """
    n, mean, squares = 0, 0.0, 0.0  # squares of deviations from the mean, summed
    for block in train:
        x = _transformed(transform, block)
        x = x[np.isfinite(x)]
        if len(x) == 0:
            continue
        own = float(x.mean())
        own_squares, apart, total = float(np.square(x - own).sum()), own - mean, n + len(x)
        squares += own_squares + apart * apart * (n * len(x) / total) if n else own_squares
        mean = mean + apart * (len(x) / total) if n else own
        n = total
    std = float(np.sqrt(squares / n)) if n else 0.0
    return Scaler(transform, mean, std if std > 1e-12 * max(1.0, abs(mean)) else 1.0)


def _transformed(transform: Transform, values: Floats) -> Floats:
    if transform == "log1p":
        return np.sign(values) * np.log1p(np.abs(values))
    return values
