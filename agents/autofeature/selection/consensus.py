"""One ranking out of several: the mean of normalised ranks, which is Borda's count, and how far methods are apart on a field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.autofeature.selection.method import Scores
from agents.autofeature.selection.ranks import normalised, values_of
from agents.strict import Strict


class ConsensusRow(Strict):
    """`rank` is the mean over methods of a field's normalised rank, 1 being the most useful; `spread` their standard deviation:
    where it is large, methods see different things, as in the side of a cross. `methods` is how many gave it a score."""

    field: str
    rank: float
    spread: float
    methods: int


class Consensus(Strict):
    """The most useful field first; equal ones in the order of the schema."""

    rows: tuple[ConsensusRow, ...]

    @property
    def ranking(self) -> tuple[str, ...]:
        return tuple(row.field for row in self.rows)


def consensus(scores: Sequence[Scores]) -> Consensus:
    """Of methods, each of which counts once whatever its unit; one that left a field out has no say on it."""
    ranks: dict[str, list[float]] = {}
    for one in scores:
        fields = [f.field for f in one.fields]
        for name, rank in zip(fields, normalised(values_of(one, fields)).tolist(), strict=True):
            ranks.setdefault(name, []).append(rank)
    rows = [
        ConsensusRow(field=name, rank=float(np.mean(found)), spread=float(np.std(found)), methods=len(found))
        for name, found in ranks.items()
    ]
    return Consensus(rows=tuple(sorted(rows, key=lambda row: -row.rank)))
