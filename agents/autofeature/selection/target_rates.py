"""Target encoding that does not see its own label: a row's category becomes the rate of positives among other folds' rows of it.

Encoded by all rows, an id that occurs once would be its label. What is left of a row's own fold is a trace, upside down: where it
has more positives than the rest, its encodings are lower. So rows that are to tell how good something is, which was fitted to
encodings of the others, are in no fold: `HELD_OUT`.

Notation: n rows, L history length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
HELD_OUT = -1  # the fold of rows whose labels encode nobody, and that all others encode
SMOOTHING = 10.0  # rows of the mean rate that a category starts with

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def drawn_folds(n: int, seed: int, folds: int = FOLDS) -> Ints:
    """A fold (n,) for each row, of sizes as equal as can be."""
    return np.random.default_rng(seed).permutation(n) % folds


def rates_of_codes(codes: Ints, labels: Floats, folds: Ints) -> Floats:
    """The smoothed rate (n,) of positives at each row's code (n,), by the rows of other folds.

    It is smoothed towards the mean of all rows: that of the other folds would tell a fold's own mean, upside down.
    """
    n_codes, n_folds = int(codes.max()) + 1, int(folds.max()) + 1
    known = folds != HELD_OUT
    place = folds[known] * n_codes + codes[known]
    seen = np.bincount(place, minlength=n_folds * n_codes).reshape(n_folds, n_codes)
    hits = np.bincount(place, labels[known], n_folds * n_codes).reshape(n_folds, n_codes)
    nothing = np.zeros((1, n_codes))  # what those held out have of their own: found at -1, the last
    others_seen, others_hits = (whole.sum(0) - np.concatenate([whole, nothing]) for whole in (seen, hits))
    rates = (others_hits + SMOOTHING * labels[known].mean()) / (others_seen + SMOOTHING)
    return np.asarray(rates[folds, codes])


def rates_of_entries(history: Ints, labels: Floats, folds: Ints) -> Floats:
    """The mean (n,) over the real entries of each row's history (n, L) of the rate at which rows of other folds with that entry
    are positive; the mean rate where a history is empty."""
    n, length = history.shape
    flat = rates_of_codes(history.ravel(), np.repeat(labels, length), np.repeat(folds, length)).reshape(n, length)
    real = history > 0
    counts = real.sum(1)
    means = (flat * real).sum(1) / np.maximum(counts, 1)
    return np.asarray(np.where(counts > 0, means, labels[folds != HELD_OUT].mean()))
