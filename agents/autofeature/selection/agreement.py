"""How far methods agree with one another on one data set: by the order of all fields, and by which fields are at the top.

Notation: m methods, d fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import Field, model_validator

from agents.autofeature.selection.method import Scores
from agents.autofeature.selection.ranks import Floats, kendall, scored_by_all, spearman, top_of, values_of
from agents.strict import Strict

Matrix = tuple[tuple[float | None, ...], ...]  # (m, m), symmetric; None where it is not defined


class Agreement(Strict):
    """Between each two of `methods` over the `fields` that all scored: Kendall's tau-b and Spearman's rho, in [-1, 1]; and
    the overlap at the top, in [0, 1]: how many of their `top` highest fields two methods share, of the longer of the two lists.
    """

    methods: tuple[str, ...]
    fields: tuple[str, ...]
    top: int = Field(ge=1)
    kendall: Matrix
    spearman: Matrix
    overlap: Matrix

    @model_validator(mode="after")
    def _square(self) -> Agreement:
        size = len(self.methods)
        if any(len(m) != size or any(len(row) != size for row in m) for m in (self.kendall, self.spearman, self.overlap)):
            raise ValueError(f"each matrix is ({size}, {size}), a row and a column for each method")
        return self

    @property
    def mean_kendall(self) -> float | None:
        """Over all pairs of different methods where it is defined."""
        pairs = [row[j] for i, row in enumerate(self.kendall) for j in range(i)]
        known = [tau for tau in pairs if tau is not None]
        return sum(known) / len(known) if known else None


def agreement(scores: Sequence[Scores], top: int) -> Agreement:
    """Of one or more methods' scores of one data set and task. Raises `ValueError` for scores of different tasks, or none."""
    if len({s.task for s in scores}) != 1:
        raise ValueError(f"scores are compared for one task, not {sorted({s.task for s in scores})}")
    fields = scored_by_all(scores)
    values = [values_of(s, fields) for s in scores]
    return Agreement(
        methods=tuple(s.method for s in scores),
        fields=fields,
        top=top,
        kendall=_matrix(values, kendall),
        spearman=_matrix(values, spearman),
        overlap=_matrix(values, lambda a, b: overlap(a, b, top)),
    )


def overlap(some: Floats, others: Floats, top: int) -> float | None:
    """The share of fields at the top that two share, of the longer list; None where neither has any."""
    a, b = top_of(some, top), top_of(others, top)
    longer = max(int(a.sum()), int(b.sum()))
    return int((a & b).sum()) / longer if longer else None


def _matrix(values: Sequence[Floats], measure: Callable[[Floats, Floats], float | None]) -> Matrix:
    below = {(i, j): measure(a, b) for i, a in enumerate(values) for j, b in enumerate(values[: i + 1])}
    return tuple(tuple(below[max(i, j), min(i, j)] for j in range(len(values))) for i in range(len(values)))
