"""What could be changed: each family of proposals is one file and one line here."""

from __future__ import annotations

from agents.autofeature.propose.crosses import crosses
from agents.autofeature.propose.families import (
    binned_numbers,
    elapsed_times,
    hashed_fields,
    history_measures,
    raw_columns,
    shared_embeddings,
    statistics,
    time_parts,
)
from agents.autofeature.propose.known import Known, Proposed, Proposer

__all__ = ["FAMILIES", "Known", "Proposed", "Proposer", "propose"]

FAMILIES = (
    binned_numbers,
    crosses,
    hashed_fields,
    shared_embeddings,
    statistics,
    history_measures,
    time_parts,
    elapsed_times,
    raw_columns,
)


def propose(known: Known, proposer: Proposer | None = None) -> list[tuple[Proposed, str]]:
    """Everything that is offered and that makes sense in the description, each once, with who offered it: the `proposer` first,
    whose own words are not lost to a rule's."""
    offered = [(p, proposer.name) for p in proposer.propose(known)] if proposer else []
    offered += [(p, "rules") for family in FAMILIES for p in family(known)]
    found: dict[str, tuple[Proposed, str]] = {}
    for proposed, by in offered:
        if not known.space.faults((proposed.change,)):
            found.setdefault(proposed.change.name, (proposed, by))
    return list(found.values())
