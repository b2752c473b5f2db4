"""How well codes tell a label, on rows that the rates were not taken from; and how sure that is.

Rows fall into two halves; a code's rate of positives in one half scores the rows of the other. The AUC is of pairs within a half,
so that a difference between the halves tells nothing. Notation: S rows, C codes, G groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.compare.influence import placements

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Area:
    """An AUC over `pairs` of a positive and a negative; `error` is its standard error, `by_chance` the one at an AUC of 0.5."""

    auc: float
    error: float
    by_chance: float
    pairs: float

    def low(self, z: float) -> float:
        """The lower bound that is `z` standard errors below; 0.5 where the AUC may as well be chance."""
        return self.auc - z * self.error if self.auc - z * self.by_chance > 0.5 else min(self.auc, 0.5)


def area(codes: Codes, labels: Bools, halves: Bools, groups: Codes | None = None, ranked: bool = False) -> Area:
    """The AUC of `codes` (S,) for `labels` (S,); with `groups` (S,), of pairs within a group of a half only. Of `ranked` codes
    the other half says no more than whether positives are high or low."""
    n_codes, n_groups = int(codes.max(initial=0)) + 1, 1 if groups is None else int(groups.max(initial=0)) + 1
    parts = [(int(h), *_half(codes[halves == h], labels[halves == h], n_codes)) for h in (False, True)]
    total: list[tuple[Floats, Floats, Floats]] = []
    for h, positives, rows in parts:
        _, others_positives, others_rows = parts[1 - h]
        scores = _ranks(others_positives, others_rows) if ranked else _rates(others_positives, others_rows)
        order = np.argsort(scores, kind="stable")
        own = halves == bool(h)
        if groups is None:
            counts = np.stack([rows - positives, positives])[:, None, order]
        else:
            counts = _by_group(codes[own], labels[own], groups[own], n_codes, n_groups)[:, :, order]
        total.append(_wins(counts, scores[order]))
    return _area(total)


def _half(codes: Codes, labels: Bools, n: int) -> tuple[Floats, Floats]:
    """Positives and rows of each code (C,)."""
    return np.bincount(codes[labels], minlength=n).astype(np.float64), np.bincount(codes, minlength=n).astype(np.float64)


def _rates(positives: Floats, rows: Floats) -> Floats:
    """Smoothed by one row of the mean, which is also the rate of what is not seen."""
    rates: Floats = (positives + positives.sum() / max(rows.sum(), 1)) / (rows + 1)
    return rates


def _ranks(positives: Floats, rows: Floats) -> Floats:
    """The codes (C,) as they are, or turned round where positives have the lower ones."""
    wins, negatives, positive = _wins(np.stack([rows - positives, positives])[:, None], np.arange(len(rows), dtype=np.float64))
    upwards = float(wins.sum()) >= float((negatives * positive).sum()) / 2
    return np.arange(len(rows), dtype=np.float64) * (1 if upwards else -1)


def _by_group(codes: Codes, labels: Bools, groups: Codes, n_codes: int, n_groups: int) -> Floats:
    """Rows (2, G, C) by label, group and code."""
    flat = (labels.astype(np.int64) * n_groups + groups) * n_codes + codes
    return np.bincount(flat, minlength=2 * n_groups * n_codes).reshape(2, n_groups, n_codes).astype(np.float64)


def _wins(counts: Floats, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """Per group, pairs in the right order and those of equal scores by half (G,), negatives (G,) and positives (G,).

    `counts` (2, G, C) are in the order of ascending `scores` (C,)."""
    starts = np.flatnonzero(np.append(True, scores[1:] > scores[:-1]))
    negatives, positives = (np.add.reduceat(c, starts, axis=1) for c in counts)
    below = np.cumsum(negatives, axis=1) - negatives
    return (positives * (below + negatives / 2)).sum(axis=1), negatives.sum(axis=1), positives.sum(axis=1)


def _area(parts: list[tuple[Floats, Floats, Floats]]) -> Area:
    """All groups together, each weighted by its pairs.

    By chance the halves agree with each other, each being scored by the other one, so that their deviations add up in full;
    where there is something to tell, they deviate from that each by itself.
    """
    wins, negatives, positives = (np.concatenate(p) for p in zip(*parts, strict=True))
    pairs = negatives * positives
    total = float(pairs.sum())
    if total == 0:
        return Area(0.5, 0.5, 0.5, 0.0)
    auc = float(wins.sum() / total)
    chance = sum(math.sqrt(float((n * p * (n + p + 1) / 12).sum())) for _, n, p in parts)
    return Area(auc, math.sqrt(_variance(auc, negatives, positives)) / total, chance / total, total)


def _variance(auc: float, negatives: Floats, positives: Floats) -> float:
    """Of the number of pairs in the right order (Hanley and McNeil, 1982)."""
    a = min(max(auc, 0.5), 1 - 1e-6)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    of_pairs = a * (1 - a) + np.maximum(positives - 1, 0) * (q1 - a * a) + np.maximum(negatives - 1, 0) * (q2 - a * a)
    return float((positives * negatives * of_pairs).sum())


def difference(labels: Bools, first: Floats, second: Floats) -> tuple[float, float]:
    """AUC of `first` minus that of `second` (S,) on the same rows, with its standard error (DeLong et al., 1988)."""
    apart = placements(labels, first) - placements(labels, second)
    variance = sum(float(x.var(ddof=1)) / len(x) for x in (apart[labels], apart[~labels]))
    return float(apart[labels].mean()), math.sqrt(variance)


def scores_of(codes: Codes, labels: Bools, fit: Bools) -> Floats:
    """The rate of each row's code (S,) among the rows `fit` (S,)."""
    rates = _rates(*_half(codes[fit], labels[fit], int(codes.max(initial=0)) + 1))
    return rates[codes]
