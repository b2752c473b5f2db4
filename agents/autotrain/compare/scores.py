"""Scores of one prediction array, computed by the host from labels that no sandbox has seen.

It judges numbers only: what a run printed about itself is not read here.
Notation: n rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.autotrain.compare.calibration import CalibrationBin, calibration
from agents.autotrain.spec import Strict
from sandboxes.kit.metrics import auc, group_auc, log_loss

CHANCE_BAND = 0.01  # an AUC this near to 0.5 is a model that learned nothing
CONSTANT_SPREAD = 1e-6  # probabilities closer together than this are one value printed twice

Floats = NDArray[np.floating]
Groups = NDArray[np.int64]


class BadPredictions(ValueError):
    """A run left an array that cannot be scored; its text is one sentence saying what is wrong with it."""


class TaskScore(Strict):
    """One task's metrics over the rows where its label is observed. None: the metric is not defined on these rows."""

    task: str
    rows: int
    positives: int
    auc: float | None
    log_loss: float | None
    group_auc: float | None
    mean_predicted: float
    mean_observed: float
    calibration: tuple[CalibrationBin, ...] = ()
    collapse: str = ""  # why this is a failure and not a result, "" when it is a result

    @property
    def calibration_ratio(self) -> float | None:
        """Mean predicted over mean observed, 1 when the level is right; None without any positive."""
        return self.mean_predicted / self.mean_observed if self.mean_observed > 0 else None


class Scores(Strict):
    """All tasks of one model and seed, the primary task first."""

    tasks: tuple[TaskScore, ...]

    @property
    def primary(self) -> TaskScore:
        return self.tasks[0]

    @property
    def collapse(self) -> str:
        """Why the run failed on the primary task, "" when it did not."""
        return self.primary.collapse


def score(labels: Floats, probabilities: Floats, groups: Groups | None, tasks: Sequence[str], bins: int = 15) -> Scores:
    """AUC, log loss, group AUC and calibration of probabilities (n, T) against labels (n, T), task by task.

    NaN labels are unobserved and dropped for their task alone. A task defined given another one (conversion given
    click) is scored over the entire space: its label is 0, not NaN, on rows without a click, and its prediction is the
    probability of both. `groups` (n,) names the user of each row. Raises `BadPredictions`.
    """
    check_predictions(probabilities, len(labels), len(tasks))
    return Scores(tasks=tuple(_task_score(name, labels[:, t], probabilities[:, t], groups, bins) for t, name in enumerate(tasks)))


def check_predictions(probabilities: Floats, rows: int, tasks: int) -> None:
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


def _task_score(name: str, labels: Floats, pctr: Floats, groups: Groups | None, bins: int) -> TaskScore:
    observed = ~np.isnan(labels)
    y, p = labels[observed], pctr[observed].astype(np.float64)
    positives = int((y == 1).sum())
    both = 0 < positives < len(y)
    area = float(auc(y, p)) if both else None
    by_group = float(group_auc(y, p, groups[observed])) if both and groups is not None else None
    return TaskScore(
        task=name,
        rows=len(y),
        positives=positives,
        auc=area,
        log_loss=float(log_loss(y, p)) if len(y) else None,
        group_auc=by_group if by_group is not None and np.isfinite(by_group) else None,
        mean_predicted=float(p.mean()) if len(y) else 0.0,
        mean_observed=float(y.mean()) if len(y) else 0.0,
        calibration=calibration(y, p, bins),
        collapse=collapse_of(y, p) if both else "",
    )


def collapse_of(labels: Floats, p: Floats) -> str:
    """Why predictions (n,) are a failed model, or "": constant, or ranking by chance. An AUC well below 0.5 is a bad result."""
    if len(p) > 1 and float(np.ptp(p)) < CONSTANT_SPREAD:
        return f"it predicts {p[0]:.4g} for every row"
    area = float(auc(labels, p))
    return f"its AUC of {area:.4f} is that of chance" if abs(area - 0.5) <= CHANCE_BAND else ""
