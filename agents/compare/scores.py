"""Scores of one model and seed, as data: metrics by name, computed by the host from truth that no sandbox has seen."""

from __future__ import annotations

from pydantic import Field

from agents.compare.calibration import CalibrationBin
from agents.strict import Strict


class BadPredictions(ValueError):
    """A run left an array that cannot be scored; its text is one clause saying what is wrong with it."""


class TaskScore(Strict):
    """One task's scores over `rows`, where its truth is known. `values` lacks a metric that is not defined on these rows.

    Of probabilities there is their calibration too: bins, and the mean predicted over the mean observed, 1 when the level is
    right, None without any positive.
    """

    task: str
    rows: int
    values: dict[str, float] = Field(default_factory=dict)
    calibration: tuple[CalibrationBin, ...] = ()
    calibration_ratio: float | None = None
    collapse: str = ""  # why this is a failure and not a result, "" when it is a result


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


def present(values: dict[str, float | None]) -> dict[str, float]:
    """Those that are defined."""
    return {name: value for name, value in values.items() if value is not None}
