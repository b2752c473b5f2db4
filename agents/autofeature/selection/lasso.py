"""Lasso: logistic regression whose L1 penalty drops fields (Tibshirani 1996), over one column a field.

A field's column is the cross-fitted rate of positives at its value, of a number at its quantile, so that a U-shaped effect is a
straight line here; columns are standardised, so that weights compare. Of fields that say the same, it keeps one. It is additive:
of a cross without effects of its sides it sees nothing.

Notation: n rows, K fields, P strengths of the penalty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import l1_min_c

from agents.autofeature.selection.codes import coded_fields, uncoded
from agents.autofeature.selection.method import FieldScore, Scores
from agents.autofeature.selection.sample import Sample, sampled
from agents.autofeature.selection.target_rates import drawn_folds, rates_of_codes
from sandboxes.kit.data import Prepared
from sandboxes.kit.metrics import log_loss

STRENGTHS = np.geomspace(1.0, 1000.0, 12)  # times the C below which all weights are 0
PARTS = 4  # that take turns in telling how well a strength predicts
TOLERANCE, STEPS = 1e-3, 200

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def lasso(prepared: Prepared, task: int, seed: int) -> Scores:
    """Each field's standardised weight, at the strongest penalty that predicts as well as the best but for one standard error: a
    weaker one lets noise in. Weights below 0 count as 0: rates of other rows that speak against a row's own say nothing.
    """
    sample = sampled(prepared, task)
    names, columns = standardised_rates(sample, seed)
    weights = _weights(columns, sample.labels, seed) if columns.any() else np.zeros(len(names))
    return Scores(
        method="lasso",
        task=sample.task,
        unit="logits a standard deviation",
        seed=seed,
        fields=tuple(FieldScore(field=n, score=max(float(w), 0.0)) for n, w in zip(names, weights, strict=True)),
        unscored=uncoded(sample),
    )


def standardised_rates(sample: Sample, seed: int) -> tuple[list[str], Floats]:
    """Names of the fields, and their columns (n, K), of mean 0 and variance 1; those of constant fields are 0."""
    folds = drawn_folds(len(sample), seed)
    rates = {name: rates_of_codes(codes, sample.labels, folds) for name, codes in coded_fields(sample, folds) if codes.max() > 0}
    names = [name for name, _ in coded_fields(sample, folds)]
    columns = np.stack([_standard(rates[n]) if n in rates else np.zeros(len(sample)) for n in names], axis=1)
    return names, columns


def _weights(columns: Floats, labels: Floats, seed: int) -> Floats:
    """Those (K,) at the penalty that is chosen; 0 for a column of zeros."""
    path = STRENGTHS * float(l1_min_c(columns, labels, loss="log"))
    return np.asarray(_path(columns, labels, path)[_chosen(columns, labels, path, seed)].coef_[0])


def _chosen(columns: Floats, labels: Floats, path: Floats, seed: int) -> int:
    """The number of the strength to take, by the log loss of rows that were not fitted."""
    parts = drawn_folds(len(labels), seed + 1, PARTS)
    losses = np.zeros((PARTS, len(path)))
    for part in range(PARTS):
        own = parts == part
        models = _path(columns[~own], labels[~own], path)
        losses[part] = [log_loss(labels[own], m.predict_proba(columns[own])[:, 1]) for m in models]
    mean, best = losses.mean(0), int(losses.mean(0).argmin())
    error = (losses - losses[:, [best]]).std(0, ddof=1) / np.sqrt(PARTS)  # paired: parts differ more than strengths do
    return int(np.flatnonzero(mean <= mean[best] + error)[0])


def _path(columns: Floats, labels: Floats, path: Floats) -> list[LogisticRegression]:
    """Models from the strongest penalty to the weakest, each starting where the one before it ended."""
    models: list[LogisticRegression] = []
    for c in path:
        model = LogisticRegression(
            C=float(c), l1_ratio=1.0, solver="saga", tol=TOLERANCE, max_iter=STEPS, warm_start=True, random_state=0
        )
        if models:  # where a warm start begins
            model.coef_, model.intercept_ = models[-1].coef_.copy(), models[-1].intercept_.copy()
        models.append(model.fit(columns, labels))
    return models


def _standard(values: Floats) -> Floats:
    deviation = values.std()
    return np.asarray((values - values.mean()) / deviation) if deviation > 1e-12 else np.zeros(len(values))
