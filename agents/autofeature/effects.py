"""What a change of features does to the model's quality: a paired difference in AUC, as data. Notation: S seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agents.autofeature.trainer import Trained
from agents.compare import BadPredictions, Paired, truth_of
from agents.compare.truth import Truth
from agents.strict import Strict

ALPHA = 0.05


class Gain(Strict):
    """With the change minus without it, in AUC of the primary task, over paired seeds. [low, high] holds the true difference on
    new seeds and new rows at 95 %. `p_gain` is the p-value of "no gain", one-sided."""

    value: float
    low: float
    high: float
    p_gain: float
    seeds: int
    per_seed: tuple[float, ...]
    standard_error: float

    @property
    def in_words(self) -> str:
        return f"{self.value:+.4f} AUC [{self.low:+.4f}, {self.high:+.4f}]"


class Compared(Strict):
    """A gain, or why there is none; and the p-value (one-sided) of "it loses the margin or more"."""

    gain: Gain | None
    p_loss: float = 1.0
    failure: str = ""


def compared(changed: Trained, base: Trained, split: str, margin: float) -> Compared:
    """The difference on "valid" or "test". Raises `ValueError` where the two hold different rows."""
    if failure := changed.failure or base.failure:
        return Compared(gain=None, failure=failure)
    truth = truth_of(base.prepared, split)
    own, others = changed.prepared.hidden_labels(split), base.prepared.hidden_labels(split)
    if not np.array_equal(own, others, equal_nan=True):
        raise ValueError("a change of features moved rows between splits")
    try:
        paired = _paired(truth, changed, base, split)
    except BadPredictions as error:
        return Compared(gain=None, failure=str(error))
    low, high = paired.interval(ALPHA)
    gain = Gain(
        value=paired.estimate,
        low=low,
        high=high,
        p_gain=one_sided(paired),
        seeds=len(paired.per_seed),
        per_seed=paired.per_seed,
        standard_error=paired.standard_error,
    )
    return Compared(gain=gain, p_loss=one_sided(replace(paired, estimate=paired.estimate + margin)))


def _paired(truth: Truth, changed: Trained, base: Trained, split: str) -> Paired:
    runs = changed.predictions(split), base.predictions(split)
    for predictions in (*runs[0], *runs[1]):
        truth.check(predictions)
        if collapse := truth.collapse(predictions):
            raise BadPredictions(collapse)
    metric = truth.question.primary
    return truth.paired(truth.reduce(runs[0], 0, metric), truth.reduce(runs[1], 0, metric), 0, metric)


def one_sided(paired: Paired) -> float:
    """The p-value of a true difference of 0 or less."""
    return paired.p_value / 2 if paired.estimate > 0 else 1 - paired.p_value / 2
