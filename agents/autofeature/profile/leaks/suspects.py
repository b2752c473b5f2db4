"""All rules over all tasks, each column's findings brought together.

They cannot find a leak that is spread over several columns, and columns that leak alike hide one another from the comparison
with all others. Notation: S rows of the sample, T tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.leaks.copies import copies_of_leaks
from agents.autofeature.profile.leaks.future import later_knows, mostly_later
from agents.autofeature.profile.leaks.knows import alone, knowing
from agents.autofeature.profile.leaks.missingness import missing_knows
from agents.autofeature.profile.leaks.order import order_tells
from agents.autofeature.profile.leaks.others import beating
from agents.autofeature.profile.model import Redundant, Role, Suspect

Apart = Mapping[str, NDArray[np.float64]]


def suspects_of(
    tasks: list[Asked],
    rows: list[NDArray[np.int64]],
    apart: Apart,
    same: tuple[Redundant, ...],
    roles: Mapping[str, tuple[Role, ...]],
) -> tuple[Suspect, ...]:
    """Those to refuse first. `rows` are the rows of the sample (S,) that each task is asked on, `apart` by how much each column
    of times is later than its row (S,)."""
    found = [s for asked, own in zip(tasks, rows, strict=True) if asked.enough for s in _of_task(asked, own, apart, same)]
    known = {s.column for s in found if s.reason == "later than its row"}
    found += [s for s in mostly_later(dict(apart)) if s.column not in known]
    copied = list(copies_of_leaks(same, roles, found))
    whole = {s.column for s in copied if not s.numbers and s.severity == "refuse"}
    found = copied + [s for s in found if not (s.column in whole and s.reason == "knows the label")]
    return tuple(sorted(found, key=lambda s: (s.severity != "refuse", s.task, s.column)))


def _of_task(asked: Asked, rows: NDArray[np.int64], apart: Apart, same: tuple[Redundant, ...]) -> Iterator[Suspect]:
    """At most one finding a column, by the rule that explains most: that it is missing, that it is later, what it says."""
    found: dict[str, Suspect] = {}
    single = {c: alone(asked, c) for c in asked.columns}
    own = {c: seconds[rows] for c, seconds in apart.items() if c in asked.columns}
    for suspect in (*later_knows(asked, own), *missing_knows(asked, asked.columns), *knowing(asked, single)):
        if suspect.column not in found or (suspect.severity, found[suspect.column].severity) == ("refuse", "look"):
            found[suspect.column] = suspect
    copies = {c: frozenset(g.columns) for g in same for c in g.columns}
    leaking = frozenset(found)
    for suspect in beating(asked, single, {c: leaking | copies.get(c, frozenset()) for c in asked.columns}):
        found.setdefault(suspect.column, suspect)
    telling = {c for c, a in single.items() if c in found or a.area.auc > 0.9}
    for suspect in order_tells(asked, frozenset(telling)):
        found.setdefault(suspect.column, suspect)
    yield from found.values()
