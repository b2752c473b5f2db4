"""A column that alone tells the label far better than a model of all other columns together: more than one column should know.

Rows are in three parts: rates of categories are of the first, the model learns from the second, and both are judged on the
third. Notation: S rows, F columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.leaks.knows import Alone
from agents.autofeature.profile.model import Suspect
from agents.autofeature.profile.rates import difference, scores_of
from agents.autofeature.profile.readings import in_order, values_of
from sandboxes.kit.data.leaks import FEWEST_OF_A_CLASS, SUSPICIOUS_AUC

# Single honest columns rarely reach it: what predicts clicks or purchases best, someone's past, has AUCs of 0.6 to 0.85.
STRONG_AUC = 0.9
MARGIN = 0.05  # by which it must at least be better, beyond doubt
MOST_ROWS, MOST_COLUMNS = 50_000, 8  # looked at, and asked about
TREES, LEAVES = 60, 15  # of the model: quick, and within a hundredth of what more of them reach

Floats = NDArray[np.float64]


def beating(asked: Asked, found: dict[str, Alone], others: dict[str, frozenset[str]]) -> Iterator[Suspect]:
    """`others` name for each column the ones that say the same or are suspects, which no model may learn from."""
    strong = [a for a in found.values() if a.area.low(asked.z) > STRONG_AUC and a.area.auc <= SUSPICIOUS_AUC]
    strong = sorted(strong, key=lambda a: -a.area.auc)[:MOST_COLUMNS]
    if not strong:
        return
    rows = np.flatnonzero(np.random.default_rng(1).random(len(asked.labels)) < MOST_ROWS / max(len(asked.labels), 1))
    part = np.random.default_rng(2).integers(3, size=len(rows))
    labels = asked.labels[rows]
    if any(min(labels[part == p].sum(), (~labels[part == p]).sum()) < FEWEST_OF_A_CLASS for p in range(3)):
        return
    matrix = {c: _feature(asked, c, rows, part == 0) for c in found}
    for one in strong:
        used = [c for c in matrix if c != one.column and c not in others.get(one.column, frozenset())]
        together = _together(np.stack([matrix[c] for c in used], axis=1), labels, part) if used else np.zeros((part == 2).sum())
        own = _alone(one, rows, labels, part != 2)[part == 2]
        better, error = difference(labels[part == 2], own, together)
        if better - asked.z * error > MARGIN:
            evidence = (
                f"Alone it tells the label with AUC {one.area.auc:.3f}, better by {better:.3f} (standard error {error:.3f}) than "
                f"a model of {len(used)} other columns together"
            )
            yield asked.suspect(
                one.column, "beats all others", "look", evidence, {"auc": one.area.auc, "better": better, "error": error}
            )


def _alone(one: Alone, rows: NDArray[np.int64], labels: NDArray[np.bool_], fit: NDArray[np.bool_]) -> Floats:
    """Scores of all rows by the column alone, as far as the rows `fit` know."""
    codes = one.reading.codes[rows]
    if not one.reading.ranked:
        return scores_of(codes, labels, fit)
    upwards = codes[fit & labels].mean() >= codes[fit & ~labels].mean()
    return codes.astype(np.float64) * (1 if upwards else -1)


def _feature(asked: Asked, column: str, rows: NDArray[np.int64], fit: NDArray[np.bool_]) -> Floats:
    """Numbers as they are, other values by their rate in the rows `fit`."""
    ordered = in_order(asked.sample, column)
    if ordered is not None:
        return ordered[rows]
    return scores_of(values_of(asked.sample, column)[0].codes[rows], asked.labels[rows], fit)


def _together(features: Floats, labels: NDArray[np.bool_], part: NDArray[np.int64]) -> Floats:
    """Scores of the third part's rows by a model of `features` (S, F)."""
    model = HistGradientBoostingClassifier(max_iter=TREES, max_leaf_nodes=LEAVES, early_stopping=False, random_state=0)
    with threadpool_limits(1):  # on few rows, threads that wait for one another take ten times as long on a busy machine
        model.fit(features[part == 1], labels[part == 1])
        scores: Floats = model.predict_proba(features[part == 2])[:, 1]
    return scores
