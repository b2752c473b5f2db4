"""What AutoFeature may decide: changes of a table's description, each small enough to be tried by itself.

A change never moves a row from one split to another: `pinned` fixes what the split draws on before anything is changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from agents.strict import Strict
from sandboxes.kit.data.spec import Categorical, Numeric, TableSpec, Transform
from sandboxes.kit.features import AnyTransform
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.histories import HistoryMeasure
from sandboxes.kit.features.statistics import Rate, Share
from sandboxes.kit.features.times import Elapsed, TimePart
from sandboxes.kit.schema import Side

ByHow = Annotated[AnyTransform, Field(discriminator="how")]


class Add(Strict):
    """A new field `name`, of the table's column `column` or of one that is `derived`, the last of which bears the field's name.

    `gives` says whether it is a category or a number; what follows is of the one or of the other.
    """

    kind: Literal["add"] = "add"
    name: str
    gives: Literal["text", "number"]
    derived: tuple[ByHow, ...] = ()
    column: str = ""
    side: Side = "context"
    min_frequency: int = 1
    hash_buckets: int = 0
    scaled: Transform = "standardize"

    @property
    def in_words(self) -> str:
        return f"add {self.name}: {derivation(self)}"

    def to(self, spec: TableSpec) -> TableSpec:
        known = {d.name for d in spec.derived}
        spec = replace(spec, derived=(*spec.derived, *(d for d in self.derived if d.name not in known)))
        if self.gives == "text":
            field = Categorical(self.name, self.column, self.min_frequency, self.side, self.hash_buckets)
            return replace(spec, categorical=(*spec.categorical, field))
        return replace(spec, numeric=(*spec.numeric, Numeric(self.name, self.column, self.scaled, self.side)))


class Drop(Strict):
    """The field or sequence `name` is no longer a feature; derived columns that nothing else needs go with it."""

    kind: Literal["drop"] = "drop"
    name: str

    @property
    def in_words(self) -> str:
        return f"drop {self.name}"

    def to(self, spec: TableSpec) -> TableSpec:
        gone = {d.name for d in spec.derived if d.how == "history" and d.of == self.name} | {self.name}
        return _without_the_unused(
            replace(
                spec,
                categorical=tuple(c for c in spec.categorical if c.name != self.name),
                numeric=tuple(n for n in spec.numeric if (n.column or n.name) not in gone and n.name not in gone),
                sequences=tuple(s for s in spec.sequences if s.name != self.name),
                vectors=tuple(v for v in spec.vectors if v.name != self.name),
                derived=tuple(d for d in spec.derived if d.name not in gone or d.how != "history"),
            )
        )


class Hash(Strict):
    """The categorical field `name` has no vocabulary any more, but ids by a hash, `buckets` of them."""

    kind: Literal["hash"] = "hash"
    name: str
    buckets: int

    @property
    def in_words(self) -> str:
        return f"hash {self.name} into {self.buckets:,} buckets"

    def to(self, spec: TableSpec) -> TableSpec:
        hashed = [replace(c, hash_buckets=self.buckets, min_frequency=1) if c.name == self.name else c for c in spec.categorical]
        return replace(spec, categorical=tuple(hashed))


class ShareIds(Strict):
    """The categorical field `name` has the ids, and with them the embedding vectors, of the field `owner`."""

    kind: Literal["share"] = "share"
    name: str
    owner: str

    @property
    def in_words(self) -> str:
        return f"let {self.name} share the embedding of {self.owner}"

    def to(self, spec: TableSpec) -> TableSpec:
        shared = [
            replace(c, shares=self.owner, min_frequency=1, hash_buckets=0) if c.name == self.name else c for c in spec.categorical
        ]
        return replace(spec, categorical=tuple(shared))


AnyChange = Add | Drop | Hash | ShareIds
Change = Annotated[AnyChange, Field(discriminator="kind")]


def changed(spec: TableSpec, changes: Sequence[AnyChange]) -> TableSpec:
    """The description with all changes, in order. Raises `DataError` for what it cannot be."""
    for change in changes:
        spec = change.to(spec)
    return spec


def pinned(spec: TableSpec) -> TableSpec:
    """The same description, whose split does not depend on which columns are features."""
    if spec.split.key or spec.split.by in ("time", "last"):
        return spec
    split = spec.split.column if spec.split.by == "given" else ""
    return replace(spec, split=replace(spec.split, key=tuple(c for c in spec.columns if c != split)))


def faults_of(spec: TableSpec, change: AnyChange) -> Iterator[str]:
    """Why the change makes no sense in this description, a clause each; the description itself says what else is wrong."""
    names = {f.name for f in spec.features} | {s.name for s in spec.sequences} | {v.name for v in spec.vectors}
    if isinstance(change, Add):
        yield from _faults_of_add(spec, change, names)
    elif change.name not in names:
        yield f"there is no field {change.name!r}"
    elif isinstance(change, Drop):
        if roles := roles_of(spec, change.name):
            yield f"{change.name} is {roles[0]}, which is not dropped"
        elif len(names) == 1:
            yield f"{change.name} is the only field"
    elif not any(c.name == change.name for c in spec.categorical):
        yield f"{change.name} is no categorical field"
    elif roles := roles_of(spec, change.name):
        yield f"{change.name} is {roles[0]}, whose ids stand for single values"
    elif isinstance(change, ShareIds) and any(c.shares == change.name for c in spec.categorical):
        yield f"other fields share the ids of {change.name}"


def _faults_of_add(spec: TableSpec, change: Add, names: set[str]) -> Iterator[str]:
    if change.name in names:
        yield f"there is a field {change.name!r} already"
    made = change.derived[-1].name if change.derived else ""
    if (made and made != change.name) or bool(made) == bool(change.column):
        yield f"{change.name} is made neither of a column of the table nor of one derived column of its name"
    kept = {d.name: d for d in spec.derived}
    for d in change.derived:
        if d.name in kept and kept[d.name] != d:
            yield f"there is another derived column {d.name!r}"


def roles_of(spec: TableSpec, name: str) -> list[str]:
    """What a field is besides a feature, so that other parts of the description, or models, need it."""
    roles = {"the scenario": spec.scenario, "the target item": spec.target_item, "the user": spec.user}
    column = next((f.column or f.name for f in spec.features if f.name == name), "")
    found = [role for role, what in roles.items() if what and what in (name, column if role == "the user" else name)]
    found += [f"what the sequence {s.name} is of" for s in spec.sequences if s.of == name]
    found += [f"whose ids {c.name} shares" for c in spec.categorical if c.shares == name]
    return found + [f"what the vectors {v.name} are of" for v in spec.vectors if v.of == name]


def derivation(change: Add) -> str:
    """How the field is made, in words."""
    if not change.derived:
        return f"the column {change.column}"
    *helpers, last = change.derived
    return ", ".join([_made(last), *(f"where {d.name} is {_made(d)}" for d in helpers)])


def _made(d: AnyTransform) -> str:
    match d:
        case Bins():
            return f"bins of {d.of} by {d.by.replace('_', ' ')}"
        case Rate():
            return f"rate of {d.task} by {' and '.join(d.of)}"
        case Share():
            return f"share of rows with the same {' and '.join(d.of)}"
        case Cross():
            return f"cross of {' and '.join(d.of)}"
        case TimePart():
            return f"{d.part.replace('_', ' ')} of {d.of}"
        case Elapsed():
            return f"time from {d.since} to {d.of}"
        case HistoryMeasure():
            return f"{d.says.replace('_', ' ')} in {d.of}"


def together_in_words(changes: Sequence[AnyChange]) -> str:
    """All changes, drops under one verb."""
    drops = [c.name for c in changes if isinstance(c, Drop)]
    said = [c.in_words for c in changes if not isinstance(c, Drop)]
    return "; ".join(said + ([f"drop {', '.join(drops)}"] if drops else []))


def counted_in_words(changes: Sequence[AnyChange]) -> str:
    """How many of each kind: "4 features added, 9 dropped"."""
    counts = {
        verb: sum(c.kind == kind for c in changes) for kind, verb in (("add", "added"), ("drop", "dropped"), ("hash", "hashed"))
    }
    said = [f"{n} {verb}" for verb, n in counts.items() if n]
    first, *rest = said or ["none changed"]
    number, _, verb = first.partition(" ")
    return ", ".join([f"{number} feature{'s' if number != '1' else ''} {verb}", *rest]) if changes else "no feature changed"


def identity(change: AnyChange) -> str:
    """12 hex digits, equal for changes that come to the same."""
    return hashlib.sha256(change.model_dump_json().encode()).hexdigest()[:12]


def _without_the_unused(spec: TableSpec) -> TableSpec:
    """Without derived columns that no field and no other derived column needs."""
    needed = {f.column or f.name for f in spec.features}
    for d in reversed(spec.derived):
        if d.name in needed:
            needed |= set(d.inputs)
    return replace(spec, derived=tuple(d for d in spec.derived if d.name in needed))
