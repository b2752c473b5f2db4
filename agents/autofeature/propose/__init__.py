"""What could be changed: each family of proposals is one file and one line here."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autofeature.propose.crosses import crosses
from agents.autofeature.propose.families import (
    binned_numbers,
    elapsed_times,
    hashed_fields,
    history_measures,
    raw_columns,
    statistics,
    time_parts,
)
from agents.autofeature.propose.known import Known, Proposed

__all__ = ["FAMILIES", "Known", "Proposed", "propose"]

FAMILIES = (binned_numbers, crosses, hashed_fields, statistics, history_measures, time_parts, elapsed_times, raw_columns)


def propose(known: Known) -> list[Proposed]:
    """Everything that the families offer and that makes sense in the description, each once."""
    offered: dict[str, Proposed] = {}
    for family in FAMILIES:
        for proposed in family(known):
            if not known.space.faults((proposed.change,)):
                offered.setdefault(proposed.change.name, proposed)
    return list(offered.values())


def names(proposals: Sequence[Proposed]) -> list[str]:
    return [p.change.name for p in proposals]
