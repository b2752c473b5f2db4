"""Rows and positives of a key: in all of train; for train rows, in other folds or in what came before. Notation: n train rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.stable_hash import text_hashes
from sandboxes.kit.features.contract import Log

Floats = NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True)
class Counted:
    """Of each row's key, the rows and the sum of weights, and the same of all keys together; each (n,)."""

    rows: Floats
    weights: Floats
    all_rows: Floats
    all_weights: Floats


def held_out(log: Log, keys: pl.Series, weights: Floats) -> Counted:
    """For each train row, counted in rows strictly earlier where times are known, else in the other folds.

    `keys` and `weights` (n,) are of train rows; a weight of NaN takes the row out of the counts, and not out of the result.
    """
    codes = np.unique(text_hashes(keys), return_inverse=True)[1].astype(np.int64)
    counts, weights = (~np.isnan(weights)).astype(np.float64), np.nan_to_num(weights)
    if log.times is not None:
        return _earlier(codes, log.times[log.train], counts, weights)
    return _in_other_folds(codes, log.folds(FOLDS)[log.train], counts, weights)


def _earlier(codes: NDArray[np.int64], times: Floats, counts: Floats, weights: Floats) -> Counted:
    """What Prokhorenkova et al., "CatBoost" (NeurIPS 2018), section 3.2, call ordered statistics, in the order of time."""
    everything = np.zeros(len(codes), dtype=np.int64)
    own = [_sums_before(values, codes, times) for values in (counts, weights)]
    overall = [_sums_before(values, everything, times) for values in (counts, weights)]
    return Counted(own[0], own[1], overall[0], overall[1])


def _sums_before(values: Floats, codes: NDArray[np.int64], times: Floats) -> Floats:
    """For each row the sum over rows of the same code that are strictly earlier."""
    order = np.lexsort((times, codes))
    sums = np.concatenate([[0.0], np.cumsum(values[order])])
    new_code = np.concatenate([[True], np.diff(codes[order]) != 0])
    new_instant = new_code | np.concatenate([[True], np.diff(times[order]) != 0])
    places = np.arange(len(codes))
    first_of_code, first_of_instant = (np.maximum.accumulate(np.where(new, places, 0)) for new in (new_code, new_instant))
    found = np.empty(len(codes))
    found[order] = sums[first_of_instant] - sums[first_of_code]
    return found


def _in_other_folds(codes: NDArray[np.int64], folds: NDArray[np.int64], counts: Floats, weights: Floats) -> Counted:
    size = int(codes.max(initial=-1)) + 1
    place = folds * size + codes
    found = []
    for values in (counts, weights):
        by_fold = np.bincount(place, values, FOLDS * size)
        whole = by_fold.reshape(FOLDS, size)
        found.append(whole.sum(0)[codes] - by_fold[place])
        found.append(values.sum() - whole.sum(1)[folds])
    return Counted(found[0], found[2], found[1], found[3])
