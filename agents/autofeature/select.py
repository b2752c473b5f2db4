"""Ranks all fields, old and proposed, by every method, says how far methods and seeds agree, and which fields lie idle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from pydantic import Field

from agents.autofeature.selection import (
    METHODS,
    Agreement,
    Consensus,
    Method,
    NoRanking,
    OfModel,
    Scores,
    Stability,
    agreement,
    consensus,
    stability,
)
from agents.autofeature.trainer import Incumbent
from agents.strict import Strict
from sandboxes.jobs import Finished, Job, ModelSource
from sandboxes.kit.data import Prepared
from sandboxes.kit.importance.config import NAMES, ImportanceConfig

SEEDS = (1, 2, 3)
TOP = 10  # fields by which methods are compared
ERRORS = 2.0  # standard errors up to which a score is that of a field without use
TRIFLE = 0.01  # of the highest score, up to which a score is that of a field without use
LOOK = ImportanceConfig(rows=10_000, repeats=5, orders=4)


class Selection(Strict):
    """`scores` of every method and seed; `agreement` between methods on the first seed; `stability` of each over seeds; one
    ranking out of all. `unusable` says of a method why it ranks nothing here."""

    scores: tuple[Scores, ...]
    agreement: Agreement
    stability: tuple[Stability, ...]
    consensus: Consensus
    unusable: dict[str, str] = Field(default_factory=dict)

    @property
    def idle(self) -> tuple[str, ...]:
        """Fields in which no method that knows its error finds anything to speak of; least useful first."""
        told = [own for own in by_method(self.scores).values() if any(f.standard_error is not None for f in own[0].fields)]
        tested = {f.field for own in told for f in own[0].fields}
        busy = set[str]().union(*(_busy(own) for own in told))
        return tuple(name for name in reversed(self.consensus.ranking) if name in tested - busy)


def _busy(own: Sequence[Scores]) -> set[str]:
    """The fields in which one method finds, in the mean over seeds, more than its error and than a trifle."""
    means = {f.field: float(np.mean([s.values[f.field] for s in own])) for f in own[0].fields}
    errors = {f.field: f.standard_error or 0.0 for f in own[0].fields}
    trifle = TRIFLE * max(means.values(), default=0.0)
    return {name for name, mean in means.items() if mean > max(ERRORS * errors[name], trifle)}


def selected(prepared: Prepared, incumbent: Incumbent, run: Callable[[Job], Finished]) -> Selection:
    """Raises `NoRanking` where no method can rank the fields, and what `run` raises."""
    scores, unusable = list[Scores](), dict[str, str]()
    for name, method in _methods(incumbent, run).items():
        try:
            scores += [method(prepared, 0, seed) for seed in SEEDS]
        except NoRanking as error:
            unusable[name] = str(error)
    runs = by_method(scores)
    if not runs:
        raise NoRanking(next(iter(unusable.values())))
    return Selection(
        scores=tuple(scores),
        agreement=agreement([own[0] for own in runs.values()], TOP),
        stability=tuple(stability(own, TOP) for own in runs.values()),
        consensus=consensus([own[0] for own in runs.values()]),
        unusable=unusable,
    )


def _methods(incumbent: Incumbent, run: Callable[[Job], Finished]) -> Mapping[str, Method]:
    model, hyper = ModelSource(incumbent.model, reference=incumbent.model), {"embedding_dim": incumbent.embedding_dim}
    of_model = {name: OfModel(name, run, model, hyper, incumbent.config(0), LOOK) for name in NAMES}
    return {**METHODS, **of_model}


def by_method(scores: Sequence[Scores]) -> dict[str, list[Scores]]:
    found: dict[str, list[Scores]] = {}
    for s in scores:
        found.setdefault(s.method, []).append(s)
    return found
