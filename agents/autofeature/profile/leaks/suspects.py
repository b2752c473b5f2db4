"""All rules over all tasks, each column's findings brought together.

They cannot find a leak that is spread over several columns, and columns that leak alike hide one another from the comparison
with all others. Notation: S rows of the sample, T tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.leaks.copies import copies_of_leaks
from agents.autofeature.profile.leaks.future import later_knows, mostly_later
from agents.autofeature.profile.leaks.knows import Alone, alone, knowing
from agents.autofeature.profile.leaks.missingness import missing_knows
from agents.autofeature.profile.leaks.order import order_tells
from agents.autofeature.profile.leaks.others import beating
from agents.autofeature.profile.model import Redundant, Role, Suspect, Tells

Apart = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Found:
    """Suspects, those to refuse first; and what every column tells alone."""

    suspects: tuple[Suspect, ...]
    tells: tuple[Tells, ...]


def found_in(tasks: list[Asked], apart: Apart, same: tuple[Redundant, ...], roles: Mapping[str, tuple[Role, ...]]) -> Found:
    """`apart` says by how much each column of times is later than its row (S,)."""
    asked = [(a, {c: alone(a, c) for c in a.columns}) for a in tasks if a.enough]
    suspects = _together([s for a, single in asked for s in _of_task(a, single, apart, same)], tasks, apart, same, roles)
    tells = [
        Tells(column=c, task=a.task, auc=one.area.auc, low=one.area.low(a.z)) for a, single in asked for c, one in single.items()
    ]
    return Found(suspects, tuple(sorted(tells, key=lambda t: (t.task, -t.low))))


def _together(
    found: list[Suspect],
    tasks: list[Asked],
    apart: Apart,
    same: tuple[Redundant, ...],
    roles: Mapping[str, tuple[Role, ...]],
) -> tuple[Suspect, ...]:
    """With what needs no task; a copy of the label is called that and no more."""
    known = {s.column for s in found if s.reason == "later than its row"}
    found += [s for s in mostly_later(dict(apart)) if s.column not in known]
    copied = list(copies_of_leaks(same, roles, found))
    whole = {s.column for s in copied if not s.numbers and s.severity == "refuse"}
    found = copied + [s for s in found if not (s.column in whole and s.reason == "knows the label")]
    allowed = frozenset[str]().union(*(a.allowed for a in tasks))
    found = [s.model_copy(update={"severity": "look"}) if s.column in allowed else s for s in found]
    return tuple(sorted(found, key=lambda s: (s.severity != "refuse", s.task, s.column)))


def _of_task(asked: Asked, single: dict[str, Alone], apart: Apart, same: tuple[Redundant, ...]) -> Iterator[Suspect]:
    """At most one finding a column, by the rule that explains most: that it is missing, that it is later, what it says."""
    found: dict[str, Suspect] = {}
    own = {c: seconds[asked.rows] for c, seconds in apart.items() if c in asked.columns}
    for suspect in (*later_knows(asked, own), *missing_knows(asked, asked.columns), *knowing(asked, single)):
        _keep(found, suspect)
    copies = {c: frozenset(g.columns) for g in same for c in g.columns}
    leaking = frozenset(found)
    for suspect in beating(asked, single, {c: leaking | copies.get(c, frozenset()) for c in asked.columns}):
        _keep(found, suspect)
    refused = frozenset(c for c, s in found.items() if s.severity == "refuse")
    for suspect in order_tells(asked, refused):
        _keep(found, suspect)
    yield from found.values()


def _keep(found: dict[str, Suspect], suspect: Suspect) -> None:
    """The first finding of a column, unless a later one is graver."""
    before = found.get(suspect.column)
    if before is None or (before.severity, suspect.severity) == ("look", "refuse"):
        found[suspect.column] = suspect
