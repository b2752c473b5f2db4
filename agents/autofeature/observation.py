"""What AutoFeature knows before it decides: the profile, what must not be used, which features are active, what was tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agents.autofeature.changes import Change, changed, pinned
from agents.autofeature.profile import ColumnProfile, Profile
from agents.autofeature.propose.known import ColumnFacts, Kind
from agents.strict import Strict
from sandboxes.kit.data import DataError
from sandboxes.kit.data.spec import TableSpec
from sandboxes.kit.features.times import Unit

KINDS: dict[str, Kind] = {"category": "category", "id": "category", "number": "number", "time": "time"}
SECONDS = (6e8, 4.2e9)  # of the years 1989 to 2103
UNITS: dict[Unit, float] = {"s": 1, "ms": 1e3, "us": 1e6}


class SetAside(Strict):
    """A column that nothing is made of, and why, in a sentence."""

    column: str
    reason: str


class Observation(Strict):
    """`set_aside` leak or may leak; `columns` are those that may be used; `active` are changes that earlier runs kept, in order.

    `tried` are identities of changes that were tried on this very data with this model and not kept; `lessons` is what memory
    believes of features on this data set, a sentence each, and `relied_on` the ids behind it.
    """

    dataset: str
    data_hash: str = ""  # of the data by the description without what is active
    set_aside: tuple[SetAside, ...]
    columns: dict[str, ColumnFacts]
    active: tuple[Change, ...] = ()
    tried: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    relied_on: tuple[str, ...] = ()

    @property
    def offered(self) -> dict[str, ColumnFacts]:
        """The columns of which features may be made; which of them were dropped stands beside them."""
        dropped = {c.name for c in self.active if c.kind == "drop"}
        return {name: facts.model_copy(update={"dropped": name in dropped}) for name, facts in self.columns.items()}

    def description(self, spec: TableSpec) -> TableSpec:
        """The description to begin with: without what is set aside, with what is active, its split pinned.

        Raises `DataError` where nothing is left.
        """
        return changed(without(pinned(spec), {s.column for s in self.set_aside}), self.active)


def set_aside(profile: Profile, spec: TableSpec, allowed: Sequence[str]) -> tuple[SetAside, ...]:
    """The columns that leak, or may, and are not `allowed` by who knows them."""
    labels = {t.column or t.name for t in spec.tasks} | {t.arrives for t in spec.delayed_tasks}
    kept = {*allowed, *spec.allow, *labels, spec.user, spec.time, spec.split.column if spec.split.by == "given" else None}
    found = {s.column: s.evidence for s in reversed(profile.suspects) if s.column and s.column not in kept}
    return tuple(SetAside(column=c, reason=why) for c, why in found.items())


def usable(profile: Profile, spec: TableSpec, aside: Sequence[SetAside]) -> dict[str, ColumnFacts]:
    """What is known of the columns that features may be made of."""
    gone = {s.column for s in aside} | {t.column or t.name for t in spec.tasks} | {t.arrives for t in spec.delayed_tasks}
    gone |= {spec.split.column} if spec.split.by == "given" else set()
    return {c.name: facts for c in profile.columns if c.name not in gone and (facts := _facts(c))}


def _facts(column: ColumnProfile) -> ColumnFacts | None:
    kind = KINDS.get(column.kind, "other")
    if kind != "time":
        return ColumnFacts(kind=kind, values=column.distinct)
    unit = _unit(column)
    return ColumnFacts(kind="time", values=column.distinct, unit=unit) if unit else None


def _unit(column: ColumnProfile) -> Unit | None:
    """Of dates microseconds; of numbers that which makes them times of our age, None where none does."""
    numbers = column.numbers
    if numbers is None or column.dtype.startswith(("Date", "String")):
        return "us"
    if numbers.minimum is None or numbers.maximum is None:
        return None
    fits = (u for u, f in UNITS.items() if SECONDS[0] * f <= numbers.minimum and numbers.maximum <= SECONDS[1] * f)
    return next(fits, None)


def without(spec: TableSpec, columns: set[str]) -> TableSpec:
    """The description without fields and sequences of those columns. Raises `DataError` for what others need."""
    gone = {f.name for f in spec.features if (f.column or f.name) in columns}
    gone |= {d.name for d in spec.derived if columns & set(d.inputs)}
    needed = [s.name for s in spec.sequences if s.of in gone] + [v.name for v in spec.vectors if v.of in gone]
    if needed:
        raise DataError(f"{needed[0]} is made of a column that may know the label; allow the column, or leave {needed[0]} out")
    return replace(
        spec,
        categorical=tuple(c for c in spec.categorical if c.name not in gone and c.column not in gone),
        numeric=tuple(n for n in spec.numeric if n.name not in gone and n.column not in gone),
        sequences=tuple(s for s in spec.sequences if s.column not in columns),
        derived=tuple(d for d in spec.derived if d.name not in gone),
        scenario=None if spec.scenario in gone else spec.scenario,
        target_item=None if spec.target_item in gone else spec.target_item,
    )
