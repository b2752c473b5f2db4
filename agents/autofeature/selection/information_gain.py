"""Information gain: how much a field's value says of the label, beyond what a field of the same values would say by chance.

With many values, the plain estimate is large for noise: a value that is seen once seems to tell its label. From the estimate is
taken what it comes to when labels are shuffled, which holds for any number of rows a value; the closed correction of Miller and
Madow (1955) holds only where there are many. It sees single fields: of a cross without effects of its sides, nothing.

Notation: n rows, V values of a field.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.autofeature.selection.codes import coded_fields, uncoded
from agents.autofeature.selection.method import FieldScore, Scores
from agents.autofeature.selection.sample import sampled
from agents.autofeature.selection.target_rates import drawn_folds
from sandboxes.kit.data import Prepared

SHUFFLES = 20

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def information_gain(prepared: Prepared, task: int, seed: int) -> Scores:
    """Mutual information of field and label above that of shuffled labels; by chance it may be below 0."""
    sample = sampled(prepared, task)
    random = np.random.default_rng(seed)
    shuffles = [random.permutation(sample.labels) for _ in range(SHUFFLES)]  # the same ones for every field
    fields = coded_fields(sample, drawn_folds(len(sample), seed))
    return Scores(
        method="information_gain",
        task=sample.task,
        unit="nats a row",
        seed=seed,
        fields=tuple(_scored(name, codes, sample.labels, shuffles) for name, codes in fields),
        unscored=uncoded(sample),
    )


def _scored(name: str, codes: Ints, labels: Floats, shuffles: list[Floats]) -> FieldScore:
    """The error holds that of the estimate (the spread of what rows add to it) and that of the chance level."""
    if codes.max() == 0:
        return FieldScore(field=name, score=0.0, standard_error=0.0)
    by_chance = [mutual_information(codes, shuffled) for shuffled in shuffles]
    error = np.sqrt(_row_variance(codes, labels) / len(codes) + np.var(by_chance, ddof=1))
    score = mutual_information(codes, labels) - float(np.mean(by_chance))
    return FieldScore(field=name, score=score, standard_error=float(error))


def mutual_information(codes: Ints, labels: Floats) -> float:
    """Of codes (n,) and binary labels (n,), in nats: the entropy of all labels less the mean entropy at a value."""
    seen, hits = np.bincount(codes), np.bincount(codes, labels)
    mean = np.array([labels.mean()])
    return float(_entropy(mean)[0] - (seen / len(codes)) @ _entropy(hits / np.maximum(seen, 1)))


def _row_variance(codes: Ints, labels: Floats) -> float:
    """The variance over rows of log P(label | value) / P(label)."""
    at_value = (np.bincount(codes, labels) / np.maximum(np.bincount(codes), 1))[codes]  # (n,)
    told = np.where(labels == 1, at_value / labels.mean(), (1 - at_value) / (1 - labels.mean()))
    return float(np.log(told).var())


def _entropy(p: Floats) -> Floats:
    """Of a binary label with these probabilities of a positive."""
    q = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(-(q * np.log(q) + (1 - q) * np.log1p(-q)))
