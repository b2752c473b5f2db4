"""The profile of a table: a few passes over all rows for what is counted, one sample for what is compared.

Notation: n rows, S rows of the sample, T tasks, W windows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from agents.autofeature.profile.columns import column_profiles, kinds_of
from agents.autofeature.profile.drift import Moved, cells_of_numbers, cells_of_values, judged, moved, rates_moved
from agents.autofeature.profile.duplicates import duplicates_of
from agents.autofeature.profile.held import SAMPLE, Held, held
from agents.autofeature.profile.leaks.asked import asked_of
from agents.autofeature.profile.leaks.copies import copies
from agents.autofeature.profile.leaks.future import later_than
from agents.autofeature.profile.leaks.suspects import Found, found_in
from agents.autofeature.profile.model import Drift, Kind, Profile, Redundant, Role, Window
from agents.autofeature.profile.numbers import counted
from agents.autofeature.profile.readings import coded, in_order
from agents.autofeature.profile.roles import known_beforehand, roles_of
from agents.autofeature.profile.tasks import Labels, read_labels, task_profiles
from agents.autofeature.profile.values import shares_of
from agents.autofeature.profile.windows import Windows, windows_of
from sandboxes.kit.data.source import Source


def profile(source: Source, most: int = SAMPLE) -> Profile:
    """What the table of `source` holds, in all its columns, described or not.

    Rows, missing values, values and their shares, duplicates, positive rates and new values are counted over all rows; drift,
    quantiles and suspects rest on an even sample of at most `most` rows, the same one every time. Memory: the sample, and about
    40 bytes a row. Raises `DataError` where the table cannot be read or lacks a described column; what else is wrong with it
    stands in the profile's notes.
    """
    with held(source, most) as table:
        return _profile(source, table)


def _profile(source: Source, table: Held) -> Profile:
    spec, columns = table.spec, tuple(table.schema)
    labels, problem = read_labels(spec.tasks, table.table, table.rows)
    counts, roles, windows = counted(table), roles_of(spec, columns), windows_of(table)
    kinds = kinds_of(table, counts, roles)
    shares = shares_of(table, {c: counts[c].distinct for c in columns}, kinds, windows.codes)
    same = copies(table.sample, kinds)
    found = _found(table, labels, windows, kinds, roles, same)
    return Profile(
        name=spec.name,
        provenance=source.provenance,
        synthetic=source.synthetic,
        rows=table.rows,
        sample_rows=table.sample.height,
        tasks=task_profiles(spec.tasks, labels, problem),
        columns=column_profiles(table, counts, kinds, roles, shares),
        suspects=found.suspects,
        tells=found.tells,
        redundant=_honest(same, roles),
        duplicates=duplicates_of(table, labels),
        drift=_drift(table, labels, windows, kinds, roles, {c: s.new for c, s in shares.items()}),
        notes=_notes(table, problem),
    )


def _found(
    table: Held,
    labels: Labels,
    windows: Windows,
    kinds: dict[str, Kind],
    roles: dict[str, tuple[Role, ...]],
    same: tuple[Redundant, ...],
) -> Found:
    spec, sample, own = table.spec, table.sample, labels[table.positions]
    times = None if windows.times is None else windows.times[table.positions]
    judged = tuple(c for c in table.schema if known_beforehand(roles[c]) and kinds[c] != "constant")
    allowed = frozenset({f.column or f.name for f in spec.features if f.name in spec.allow})
    tasks = [
        asked_of(t.name, sample, own[:, i], table.positions, times, judged, kinds, roles, allowed, len(spec.tasks))
        for i, t in enumerate(spec.tasks)
    ]
    apart = later_than(sample, spec.time, times, kinds, judged) if spec.time and times is not None else {}
    return found_in(tasks, apart, same, roles)


def _honest(same: tuple[Redundant, ...], roles: Mapping[str, tuple[Role, ...]]) -> tuple[Redundant, ...]:
    """Groups without what belongs to a label: a column that says the same as one is a suspect, not redundant."""
    return tuple(g for g in same if all(known_beforehand(roles[c]) for c in g.columns))


def _drift(
    table: Held,
    labels: Labels,
    windows: Windows,
    kinds: dict[str, Kind],
    roles: dict[str, tuple[Role, ...]],
    new: dict[str, tuple[float, ...] | None],
) -> Drift:
    if windows.codes is None:
        return Drift(order="", unavailable=windows.unavailable, windows=(), columns=(), rates=())
    n, own = len(windows.said), windows.codes[table.positions]
    found: dict[str, Moved] = {}
    for c in table.schema:
        if kinds[c] not in ("constant", "other", "time") and known_beforehand(roles[c]):
            found[c] = moved(_cells(table, c, kinds[c], own), own, n)
    observed, positives = (_by_window(which, windows.codes, n) for which in (~np.isnan(labels), labels == 1))
    rates = [tuple(int(p) / int(o) if o else None for p, o in zip(positives[w], observed[w], strict=True)) for w in range(n)]
    return Drift(
        order=windows.order,
        unavailable="",
        windows=tuple(
            Window(said=said, rows=int(size), observed=tuple(int(o) for o in seen), rates=rate)
            for said, size, seen, rate in zip(windows.said, windows.sizes, observed, rates, strict=True)
        ),
        columns=judged(found, new),
        rates=rates_moved([t.name for t in table.spec.tasks], positives, observed),
    )


def _cells(table: Held, column: str, kind: Kind, windows: NDArray[np.int8]) -> NDArray[np.int64]:
    """The cell (S,) of each row: bins of what is a number or a time, else values."""
    ordered = in_order(table.sample, column) if kind in ("number", "time") else None
    return cells_of_values(coded(table.sample[column])) if ordered is None else cells_of_numbers(ordered, windows)


def _by_window(which: NDArray[np.bool_], codes: NDArray[np.int8], n: int) -> NDArray[np.int64]:
    """How many rows of each window (W, T) are so."""
    return np.stack([which[codes == w].sum(axis=0) for w in range(n)]).astype(np.int64)


def _notes(table: Held, problem: str) -> tuple[str, ...]:
    notes = [f"the labels cannot be read, so that nothing can be said of leaks: {problem}"] if problem else []
    notes += [f"the column {c!r} holds objects of Python and is left out" for c in table.dropped]
    return tuple(notes)
