"""Labels as the hidden truth: probabilities are judged by AUC, with log loss beside it.

It judges numbers only: what a run printed about itself is not read here. Notation: n rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.compare.calibration import calibration
from agents.compare.influence import auc_influence, auc_parts, mean_influence, mean_parts, row_log_loss
from agents.compare.metric import Metric
from agents.compare.paired import Paired, Runs, paired_difference
from agents.compare.question import LABELS, Question
from agents.compare.scores import BadPredictions, Scores, TaskScore, present
from agents.compare.verdict import Rules
from sandboxes.kit.metrics import auc, group_auc, log_loss

CHANCE_BAND = 0.01  # an AUC this near to 0.5 is a model that learned nothing
CONSTANT_SPREAD = 1e-6  # probabilities closer together than this are one value printed twice

Floats = NDArray[np.floating]
Users = NDArray[np.int64]


@dataclass(frozen=True)
class LabelTruth:
    """Labels (n, T) with NaN where unobserved, and the user of each row if known (n,).

    A task defined given another one (conversion given click) is scored over the entire space: its label is 0, not NaN, on
    rows without a click, and its prediction is the probability of both.
    """

    labels: Floats
    tasks: Sequence[str]
    groups: Users | None = None

    @property
    def question(self) -> Question:
        return LABELS

    def __len__(self) -> int:
        return len(self.labels)

    def check(self, predictions: Floats) -> None:
        """Raises `BadPredictions` unless they are probabilities (n, T): float, finite and within [0, 1]."""
        check_probabilities(predictions, *self.labels.shape)

    def collapse(self, predictions: Floats) -> str:
        """Why checked predictions are a failed model on the primary task, or ""."""
        labels, (p,) = self._observed(0, [predictions])
        return collapse_of(labels, p)

    def too_small(self, rules: Rules) -> str:
        """Why these rows give no interval, or ""."""
        least = self._rarer(0)
        if least >= max(rules.min_rows, 2):
            return ""
        return f"only {least} test rows of the rarer class of {self.tasks[0]}; at least {rules.min_rows} are needed"

    def judged(self) -> list[tuple[int, Metric]]:
        """Tasks and metrics that a difference can be told in, the primary ones first; none of a task with one class alone."""
        return [(t, metric) for t in range(len(self.tasks)) if self._rarer(t) >= 2 for metric in self.question.metrics]

    def primary(self, predictions: Floats) -> float:
        """The AUC of the primary task, NaN with one class only. Raises `BadPredictions`."""
        self.check(predictions)
        return auc(self.labels[:, 0], predictions[:, 0])

    def score(self, predictions: Floats) -> Scores:
        """AUC, log loss, group AUC and calibration by task, each where its label is known. Raises `BadPredictions`."""
        self.check(predictions)
        return Scores(tasks=tuple(self._task_score(t, predictions) for t in range(len(self.tasks))))

    def reduce(self, runs: Sequence[Floats], task: int, metric: Metric) -> Runs:
        """Predictions of several seeds as what comparisons need of them."""
        return reduce_runs(*self._observed(task, runs), metric)

    def paired(self, candidate: Runs, baseline: Runs, task: int, metric: Metric) -> Paired:
        """Candidate minus baseline. Needs two rows of each class."""
        observed = ~np.isnan(self.labels[:, task])
        groups = self.groups[observed] if self.groups is not None else None
        return _paired(self.labels[observed, task], candidate, baseline, metric, groups)

    def _observed(self, task: int, runs: Sequence[Floats]) -> tuple[Floats, list[Floats]]:
        """The labels of a task and each run's predictions of it, where they are known."""
        observed = ~np.isnan(self.labels[:, task])
        return self.labels[observed, task], [p[observed, task] for p in runs]

    def _rarer(self, task: int) -> int:
        """Rows of the rarer class."""
        labels = self.labels[:, task]
        return min(int((labels == 1).sum()), int((labels == 0).sum()))

    def _task_score(self, task: int, predictions: Floats) -> TaskScore:
        y, (p32,) = self._observed(task, [predictions])
        p = p32.astype(np.float64)
        both = 0 < int((y == 1).sum()) < len(y)
        groups = self.groups[~np.isnan(self.labels[:, task])] if self.groups is not None else None
        by_group = group_auc(y, p, groups) if both and groups is not None else None
        values = {
            "auc": auc(y, p) if both else None,
            "log_loss": log_loss(y, p) if len(y) else None,
            "group_auc": by_group if by_group is not None and np.isfinite(by_group) else None,
        }
        return TaskScore(
            task=self.tasks[task],
            rows=len(y),
            values=present(values),
            calibration=calibration(y, p),
            calibration_ratio=float(p.mean() / y.mean()) if len(y) and y.mean() > 0 else None,
            collapse=collapse_of(y, p) if both else "",
        )


def check_probabilities(probabilities: Floats, rows: int, tasks: int) -> None:
    """Raises `BadPredictions` unless the array is float, of shape (rows, tasks), finite and within [0, 1]."""
    if not isinstance(probabilities, np.ndarray) or not np.issubdtype(probabilities.dtype, np.floating):
        raise BadPredictions(
            f"predictions are {getattr(probabilities, 'dtype', type(probabilities).__name__)}, not floating-point numbers"
        )
    if probabilities.shape != (rows, tasks):
        raise BadPredictions(
            f"predictions have shape {probabilities.shape}, not ({rows}, {tasks}) for {rows} rows and {tasks} task(s)"
        )
    finite = np.isfinite(probabilities)
    if not finite.all():
        raise BadPredictions(f"{int((~finite).sum()):,} of {probabilities.size:,} predictions are NaN or infinite")
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        worst = probabilities[outside].flat[0]
        raise BadPredictions(
            f"{int(outside.sum()):,} of {probabilities.size:,} predictions lie outside [0, 1], for example {worst:.4g}"
        )


def collapse_of(labels: Floats, p: Floats) -> str:
    """Why predictions (n,) are a failed model, or "": constant, or ranking by chance. An AUC well below 0.5 is a bad result."""
    if len(p) > 1 and float(np.ptp(p)) < CONSTANT_SPREAD:
        return f"it predicts {p[0]:.4g} for every row"
    area = float(auc(labels, p))
    return f"its AUC of {area:.4f} is that of chance" if abs(area - 0.5) <= CHANCE_BAND else ""


def reduce_runs(labels: Floats, runs: Sequence[Floats], metric: Metric) -> Runs:
    """labels (n,) of 0 and 1, both present; each run (n,) probabilities, in the order of the seeds."""
    return Runs(*(auc_parts(labels, runs) if metric == "auc" else mean_parts([row_log_loss(labels, p) for p in runs])))


def paired_over_seeds(
    labels: Floats,
    candidate: Mapping[int, Floats],
    baseline: Mapping[int, Floats],
    metric: Metric = "auc",
    groups: Users | None = None,
) -> Paired:
    """The paired difference of one task from arrays (n,) by seed. Raises `ValueError` when the seeds differ."""
    if set(candidate) != set(baseline):
        raise ValueError(f"seeds differ: {sorted(candidate)} and {sorted(baseline)}")
    a, b = (reduce_runs(labels, [runs[s] for s in sorted(candidate)], metric) for runs in (candidate, baseline))
    return _paired(labels, a, b, metric, groups)


def _paired(labels: Floats, candidate: Runs, baseline: Runs, metric: Metric, groups: Users | None) -> Paired:
    influence = (lambda difference: auc_influence(labels, difference)) if metric == "auc" else mean_influence
    return paired_difference(candidate, baseline, influence, groups)
