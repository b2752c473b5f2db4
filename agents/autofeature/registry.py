"""The registry of features: every change that was ever proposed on a data set, the state it is in, and how it came there.

It lives in the memory's log: a change of state is a revision of its record, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter

from agents.autofeature.changes import Change, Drop, changed, identity
from memory.narrowing import Only
from memory.records import FeatureRecord, FeatureState
from memory.store import MemoryStore
from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import TableSpec

AGENT = "AutoFeature"
READ: TypeAdapter[Change] = TypeAdapter(Change)


def record_id(dataset: str, change: Change) -> str:
    return f"feature-{dataset}-{identity(change)}"


def change_of(record: FeatureRecord) -> Change:
    return READ.validate_json(record.change)


def features(memory: MemoryStore, dataset: str = "", state: str = "") -> list[FeatureRecord]:
    """Those of a data set, or of all, in that state or in any, in the order in which they first came up."""
    found = memory.all("feature", Only(dataset=dataset, outcome=state))
    return sorted((r for r in found if isinstance(r, FeatureRecord)), key=lambda r: r.created)


def in_force(record: FeatureRecord) -> bool:
    """Whether the record's change is made: of a drop that is so where the feature is retired, of any other where it is active."""
    return record.state == ("retired" if isinstance(change_of(record), Drop) else "active")


def state_of(change: Change, made: bool) -> FeatureState:
    """The state of the feature that a change is about, once it is decided whether the change is made."""
    return "active" if made != isinstance(change, Drop) else "retired"


def active(memory: MemoryStore, dataset: str, spec: TableSpec) -> tuple[Change, ...]:
    """The changes that are in force on a data set, in order; without those that its description, as it is now, cannot have."""
    kept: list[Change] = []
    for record in features(memory, dataset):
        change = change_of(record)
        try:
            if in_force(record):
                changed(spec, (*kept, change))
                kept.append(change)
        except (DataError, ValueError):
            continue
    return tuple(kept)


def tried_before(memory: MemoryStore, dataset: str, data_hash: str, model: str) -> tuple[str, ...]:
    """Identities of changes that were tried with this model on this very data and not made."""
    decided = [r for r in features(memory, dataset) if r.state in ("active", "retired") and not in_force(r)]
    return tuple(identity(change_of(r)) for r in decided if (r.data_hash, r.model) == (data_hash, model))


def made_of(change: Change, known: Sequence[FeatureRecord]) -> Iterator[str]:
    """Of the `known` records of a data set, those that a change rests on: whose derived columns it uses, or which it drops."""
    for record in known:
        other = change_of(record)
        if other.kind != "add":
            continue
        if isinstance(change, Drop):
            if change.name == other.name:
                yield record.id
        elif change.kind == "add" and other.name in {c for d in change.derived for c in d.inputs}:
            yield record.id
