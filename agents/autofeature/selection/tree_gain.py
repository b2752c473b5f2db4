"""Tree gain: what boosted trees lose on rows they were not fitted to when a field's column is shuffled there.

Not the gain in impurity on the rows of the fit, which favours columns with many distinct values, noise as well as any (Strobl et
al. 2007). Categories of up to 64 values stay what they are, so that trees may split off any of them and find crosses; of more,
and of histories, trees get the cross-fitted rate of positives. Numbers stay numbers.

Notation: n rows, K fields.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from agents.autofeature.selection.codes import coded_fields, uncoded
from agents.autofeature.selection.method import FieldScore, Scores
from agents.autofeature.selection.sample import Sample, sampled
from agents.autofeature.selection.target_rates import HELD_OUT, drawn_folds, rates_of_codes
from sandboxes.kit.data import Prepared
from sandboxes.kit.metrics import auc
from sandboxes.kit.training.rows import spread

MOST_VALUES = 64  # of a field that trees take as categories
PARTS = 3  # that take turns in being held out
ROUNDS, LEAVES, LEARNING_RATE = 100, 31, 0.1
ASKED = 5_000  # held-out rows of each part that are shuffled, at most

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def tree_gain(prepared: Prepared, task: int, seed: int) -> Scores:
    """The mean drop in AUC over held-out parts, by chance below 0; its error is that of the mean over parts."""
    sample = sampled(prepared, task)
    parts = drawn_folds(len(sample), seed + 1, PARTS)
    with threadpool_limits(1):  # threads that wait for one another take many times as long on a busy machine
        turns = [_drops(sample, parts == part, seed) for part in range(PARTS)]
    names, drops = turns[0][0], np.stack([found for _, found in turns])  # (PARTS, K)
    means, errors = drops.mean(0), drops.std(0, ddof=1) / np.sqrt(PARTS)
    return Scores(
        method="tree_gain",
        task=sample.task,
        unit="AUC lost",
        seed=seed,
        fields=tuple(
            FieldScore(field=n, score=float(m), standard_error=float(e)) for n, m, e in zip(names, means, errors, strict=True)
        ),
        unscored=uncoded(sample),
    )


def _columns(sample: Sample, folds: Ints) -> tuple[list[str], Floats, list[bool]]:
    """Names of the fields, their columns (n, K), and which of these are categories."""
    numbers = {f.name: sample.numeric[:, c] for c, f in enumerate(sample.schema.numeric)}
    few = {f.name for f in sample.schema.categorical}
    names, columns, categories = [], [], []
    for name, codes in coded_fields(sample, folds):
        native = name in few and int(codes.max()) < MOST_VALUES
        rates = codes.astype(np.float64) if native else rates_of_codes(codes, sample.labels, folds)
        names.append(name)
        columns.append(numbers.get(name, rates))
        categories.append(native)
    return names, np.stack(columns, axis=1), categories


def _drops(sample: Sample, held: NDArray[np.bool_], seed: int) -> tuple[list[str], Floats]:
    """The fields, and the drop in AUC (K,) on the rows `held` (n,) out with the column of each shuffled in turn."""
    folds = np.where(held, HELD_OUT, drawn_folds(len(sample), seed))
    names, columns, categories = _columns(sample, folds)
    trees = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=ROUNDS,
        max_leaf_nodes=LEAVES,
        categorical_features=categories,
        early_stopping=False,
        random_state=seed,
    ).fit(columns[~held], sample.labels[~held])
    asked = spread(np.flatnonzero(held), ASKED)
    rows, truth, random = columns[asked], sample.labels[asked], np.random.default_rng(seed)
    whole, drops = auc(truth, trees.predict_proba(rows)[:, 1]), np.zeros(len(names))
    for k in range(len(names)):
        if np.ptp(rows[:, k]) > 0:
            shuffled = rows.copy()
            shuffled[:, k] = random.permutation(shuffled[:, k])
            drops[k] = whole - auc(truth, trees.predict_proba(shuffled)[:, 1])
    return names, drops
