"""Ranks all fields, old and proposed, by every method, says how far methods and seeds agree, and which fields lie idle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

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
ENOUGH = 2  # methods of a model that must find something in a field; one of the data alone is enough
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
        """Fields in which no method that knows its error finds anything to speak of; least useful first.

        The errors of methods of a model are of their own chance, not of which rows they look at, so that two of them must agree.
        """
        told = {m: own for m, own in by_method(self.scores).items() if any(f.standard_error is not None for f in own[0].fields)}
        tested = {f.field for own in told.values() for f in own[0].fields}
        votes = Counter[str]()
        for method, own in told.items():
            votes.update(dict.fromkeys(_busy(own), 1 if method in NAMES else ENOUGH))
        return tuple(name for name in reversed(self.consensus.ranking) if name in tested and votes[name] < ENOUGH)


def _busy(own: Sequence[Scores]) -> set[str]:
    """The fields in which one method finds, in the mean over seeds, more than its error and than a trifle."""
    means = {f.field: float(np.mean([s.values[f.field] for s in own])) for f in own[0].fields}
    errors = {f.field: f.standard_error or 0.0 for f in own[0].fields}
    trifle = TRIFLE * max(means.values(), default=0.0)
    return {name for name, mean in means.items() if mean > max(ERRORS * errors[name], trifle)}


def selected(prepared: Prepared, incumbent: Incumbent, run: Callable[[Job], Finished], parallel: int) -> Selection:
    """`parallel` methods at a time. Raises `NoRanking` where no method can rank the fields, and what `run` raises."""
    scores, unusable = list[Scores](), dict[str, str]()
    of_model = _of_model(incumbent, run)
    with ThreadPoolExecutor(parallel) as pool:
        trained = [pool.submit(_ranked, {NAMES[0]: of_model[NAMES[0]]}, prepared, (seed,)) for seed in SEEDS]  # one job a seed
        alone = [pool.submit(_ranked, {name: method}, prepared, SEEDS) for name, method in METHODS.items()]
        for future in trained:
            future.result()
        for ranks, why in (*(f.result() for f in alone), _ranked(of_model, prepared, SEEDS)):
            scores += ranks
            unusable |= why
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


def _ranked(methods: Mapping[str, Method], prepared: Prepared, seeds: Sequence[int]) -> tuple[list[Scores], dict[str, str]]:
    """What the methods say by every seed, and why others say nothing."""
    scores, unusable = list[Scores](), dict[str, str]()
    for name, method in methods.items():
        try:
            scores += [method(prepared, 0, seed) for seed in seeds]
        except NoRanking as error:
            unusable[name] = str(error)
    return scores, unusable


def _of_model(incumbent: Incumbent, run: Callable[[Job], Finished]) -> Mapping[str, Method]:
    """Those that a sandbox trains a model for, all of them in one job a seed, which is kept."""
    model, hyper = ModelSource(incumbent.model, reference=incumbent.model), {"embedding_dim": incumbent.embedding_dim}
    return {name: OfModel(name, run, model, hyper, incumbent.config(0), LOOK) for name in NAMES}


def by_method(scores: Sequence[Scores]) -> dict[str, list[Scores]]:
    found: dict[str, list[Scores]] = {}
    for s in scores:
        found.setdefault(s.method, []).append(s)
    return found
