"""What a selection method is: it says how useful each field of a data set is for a task, as scores that rank.

Scores of different methods are in different units and compare by rank alone (see `agreement`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import Field, model_validator

from agents.strict import Strict
from sandboxes.kit.data import Prepared


class NoRanking(ValueError):
    """The data does not let a method rank its fields; the text is one sentence saying why. The data's fault: no use to retry."""


class FieldScore(Strict):
    """How useful a field is, higher being more. The error is the method's own account of how far chance moved the score, None
    where it has none."""

    field: str
    score: float = Field(allow_inf_nan=False)
    standard_error: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class Scores(Strict):
    """One method's account of a data set: each of its fields has a score, or stands in `unscored` with the reason, a sentence.

    `unit` says in words what a score of 1 would be.
    """

    method: str
    task: str
    unit: str
    seed: int
    fields: tuple[FieldScore, ...]
    unscored: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_field_once(self) -> Scores:
        names = [f.field for f in self.fields] + list(self.unscored)
        if len(set(names)) < len(names):
            raise ValueError(f"a field stands twice among {', '.join(names)}")
        return self

    @property
    def values(self) -> Mapping[str, float]:
        """Scores by field."""
        return {f.field: f.score for f in self.fields}

    @property
    def ranking(self) -> tuple[str, ...]:
        """Fields, most useful first; equal ones in the order of the schema."""
        return tuple(f.field for f in sorted(self.fields, key=lambda f: -f.score))


class Method(Protocol):
    def __call__(self, prepared: Prepared, task: int, seed: int) -> Scores:
        """Scores for the task with number `task` of a data set whose rows have labels; the same for the same arguments.

        Fields are those of `field_names`. A column that is the same in all rows scores 0. Raises `NoRanking`.
        """
        ...
