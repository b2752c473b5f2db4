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
        """Fields in which no method that knows its error finds more than chance, on average over seeds; least useful first."""
        ratios: dict[str, dict[str, list[float]]] = {}
        for s in self.scores:
            for f in s.fields:
                if f.standard_error is not None:
                    ratio = f.score / f.standard_error if f.standard_error else np.inf * np.sign(f.score)
                    ratios.setdefault(f.field, {}).setdefault(s.method, []).append(float(np.nan_to_num(ratio)))
        idle = {name for name, by_method in ratios.items() if all(np.mean(z) <= ERRORS for z in by_method.values())}
        return tuple(name for name in reversed(self.consensus.ranking) if name in idle)


def selected(prepared: Prepared, incumbent: Incumbent, run: Callable[[Job], Finished]) -> Selection:
    """Raises `NoRanking` where no method can rank the fields, and what `run` raises."""
    scores, unusable = list[Scores](), dict[str, str]()
    for name, method in _methods(incumbent, run).items():
        try:
            scores += [method(prepared, 0, seed) for seed in SEEDS]
        except NoRanking as error:
            unusable[name] = str(error)
    by_method = _by_method(scores)
    if not by_method:
        raise NoRanking(next(iter(unusable.values())))
    return Selection(
        scores=tuple(scores),
        agreement=agreement([own[0] for own in by_method.values()], TOP),
        stability=tuple(stability(own, TOP) for own in by_method.values()),
        consensus=consensus([own[0] for own in by_method.values()]),
        unusable=unusable,
    )


def _methods(incumbent: Incumbent, run: Callable[[Job], Finished]) -> Mapping[str, Method]:
    model, hyper = ModelSource(incumbent.model, reference=incumbent.model), {"embedding_dim": incumbent.embedding_dim}
    of_model = {name: OfModel(name, run, model, hyper, incumbent.config(0), LOOK) for name in NAMES}
    return {**METHODS, **of_model}


def _by_method(scores: Sequence[Scores]) -> dict[str, list[Scores]]:
    found: dict[str, list[Scores]] = {}
    for s in scores:
        found.setdefault(s.method, []).append(s)
    return found
