"""Where AutoFeature decides: bundles of changes of a description that leave one that can be prepared, without what leaks."""

from __future__ import annotations

import random
from dataclasses import dataclass

from agents.autofeature.changes import Add, AnyChange, Drop, Hash, ShareIds, faults_of
from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.statistics import Rate, Share

Changes = tuple[AnyChange, ...]
MOST_BUCKETS_DRAWN = 100_000


@dataclass(frozen=True)
class FeatureSpace:
    """`refused` are columns that nothing may be made of, since they know what came of the row; by name, with the reason. `held`
    are all that the table has, where that is known."""

    spec: TableSpec
    refused: tuple[tuple[str, str], ...] = ()
    held: frozenset[str] | None = None

    def faults(self, decision: Changes) -> list[str]:
        """Why the changes, in order, are not legal."""
        if not decision:
            return ["nothing is changed"]
        spec, refused = self.spec, dict(self.refused)
        for change in decision:
            if found := list(faults_of(spec, change)):
                return found
            try:
                after = change.to(spec)
            except (DataError, ValueError) as error:
                return [str(error)]
            more = set(after.columns) - set(spec.columns)
            if leaking := sorted(refused.keys() & more):
                return [f"{leaking[0]} is refused: {refused[leaking[0]]}"]
            if self.held is not None and (absent := sorted(more - self.held)):
                return [f"the table has no column {absent[0]!r}"]
            spec = after
        return []

    def sample(self, random: random.Random) -> Changes:
        """One change or two, drawn at random."""
        while True:
            decision = tuple(self._draw(random) for _ in range(random.choice((1, 1, 2))))
            if not self.faults(decision):
                return decision

    def _draw(self, random: random.Random) -> AnyChange:
        categories, numbers = [c.column or c.name for c in self.spec.categorical], [n.column or n.name for n in self.spec.numeric]
        made = {d.name for d in self.spec.derived if d.how == "history"}
        numbers = [n for n in numbers if n not in made]
        task = self.spec.tasks[0].name
        kinds = (
            ["drop"]
            + (["sharing"] if len(categories) > 1 else [])
            + (["cross", "share", "rate", "hash"] if categories else [])
            + (["bins"] if numbers else [])
        )
        kind, number = random.choice(kinds), random.randrange(10**6)
        if kind == "drop":
            return Drop(name=random.choice([f.name for f in (*self.spec.features, *self.spec.sequences)]))
        if kind == "sharing":
            one, other = random.sample([c.name for c in self.spec.categorical], k=2)
            return ShareIds(name=one, owner=other)
        if kind == "hash":
            return Hash(name=random.choice(self.spec.categorical).name, buckets=random.randint(1, MOST_BUCKETS_DRAWN))
        name = f"{kind}_{number}"
        if kind == "bins":
            bins = Bins(name, random.choice(numbers), "equal_frequency", random.randint(2, 64))
            return Add(name=name, gives="text", derived=(bins,))
        of = tuple(random.sample(categories, k=min(len(categories), 2 if kind == "cross" else random.choice((1, 2)))))
        if kind == "cross":
            return Add(name=name, gives="text", derived=(Cross(name, of),))
        statistic = Share(name, of) if kind == "share" else Rate(name, of, task)
        return Add(name=name, gives="number", derived=(statistic,))
