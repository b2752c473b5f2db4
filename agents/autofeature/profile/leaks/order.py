"""The order of the rows, or what their ids look like, tells the label: as where positives were appended after negatives.

A trend in time is no leak: pairs are compared within stretches of time. Nor is the order of a table that is sorted by a column
which tells the label honestly: pairs are then compared within its values. Notation: S rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from agents.autofeature.profile.kinds import ENOUGH, UNIQUE
from agents.autofeature.profile.leaks.asked import Asked
from agents.autofeature.profile.model import Role, Severity, Suspect
from agents.autofeature.profile.rates import Area, Floats
from agents.autofeature.profile.readings import Codes, Reading, binned, coded, in_order, marks_of, remainders
from sandboxes.kit.data.leaks import SUSPICIOUS_AUC

# What an id looks like has nothing to say; still, tables are put together in ways that leave traces of a percent or two.
LOUD_AUC = 0.55
GROUPS = 1000  # that pairs are compared within, at most
SORTED = 0.999  # of neighbouring rows, that are in order of a column: the table is sorted by it
RUNS = 1.05  # runs of equal values for each distinct one: the table is grouped by it
NAMED: frozenset[Role] = frozenset({"user", "item", "time", "label", "arrival", "split"})


def order_tells(asked: Asked, leaking: frozenset[str]) -> Iterator[Suspect]:
    """`leaking` are columns that tell the label themselves, and so explain nothing."""
    place = asked.positions.astype(np.float64)
    yield from _judged(asked, "", [Reading("their order", binned(place)), *_named(remainders(place))], place, leaking)
    for column in asked.columns:
        if not NAMED & set(asked.roles[column]) and names_rows(asked.sample[column]):
            yield from _judged(asked, column, list(marks_of(asked.sample, column)), _places(asked.sample, column), leaking)


def names_rows(values: pl.Series) -> bool:
    """Whether nearly every row has a value of its own: whole numbers or text without sentences."""
    if not (values.dtype.is_integer() or values.dtype == pl.String):
        return False
    known = values.drop_nulls()
    return len(known) >= ENOUGH and known.n_unique() > UNIQUE * len(known)


def _named(readings: Iterator[Reading]) -> Iterator[Reading]:
    for reading in readings:
        yield Reading(reading.said.replace("its remainder", "the remainder of their number"), reading.codes)


def _judged(
    asked: Asked,
    column: str,
    readings: list[Reading],
    place: Floats,
    leaking: frozenset[str],
) -> Iterator[Suspect]:
    areas = [(reading, asked.area(reading)) for reading in readings]
    if not any(a.low(asked.z) > LOUD_AUC for _, a in areas):
        return
    groups = list(_explaining(asked, column, place, leaking))
    least = [(reading, _least(asked, reading, plain, groups)) for reading, plain in areas]
    reading, found = max(least, key=lambda one: one[1].low(asked.z))
    if found.low(asked.z) <= LOUD_AUC:
        return
    severity: Severity = "refuse" if found.auc > SUSPICIOUS_AUC else "look"
    within = " among rows of about the same time" if np.isfinite(asked.times).any() else ""
    where = f"The label is told by {reading.said}" + ("" if column else " in the table")
    evidence = f"{where}{within}: AUC {found.auc:.3f}, where an order or a name that says nothing has 0.5"
    yield asked.suspect(column, "order or id", severity, evidence, {"auc": found.auc, "error": found.error})


def _least(asked: Asked, reading: Reading, plain: Area, groups: list[Codes]) -> Area:
    """The weakest of what the reading tells at all and within each grouping. One without pairs explains everything."""
    return min([plain, *(asked.area(reading, g) for g in groups)], key=lambda a: a.low(asked.z))


def _explaining(asked: Asked, own: str, place: Floats, leaking: frozenset[str]) -> Iterator[Codes]:
    """Stretches of time, and the values of each column that the rows, in order of `place`, are sorted or grouped by."""
    if np.isfinite(asked.times).any():
        yield binned(asked.times)
    order = np.argsort(place, kind="stable")
    for column in asked.columns:
        if column == own or column in leaking or {"label", "arrival"} & set(asked.roles[column]):
            continue
        if names_rows(asked.sample[column]):
            continue
        codes = coded(asked.sample[column])[order]
        runs, distinct = 1 + int((codes[1:] != codes[:-1]).sum()), len(np.unique(codes))
        values = in_order(asked.sample, column)
        if 1 < distinct <= len(codes) / 2 and runs <= RUNS * distinct:
            yield _in_turn(codes, order)
        elif values is not None and _sorted(values[order]):
            yield binned(values)


def _sorted(values: Floats) -> bool:
    steps = np.diff(values[np.isfinite(values)])
    return len(steps) > 0 and bool(steps.any()) and max((steps >= 0).mean(), (steps <= 0).mean()) >= SORTED


def _in_turn(codes: Codes, order: Codes) -> Codes:
    """Groups (S,) numbered as they come in `order`, neighbours together where there are very many."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    turn = np.argsort(np.argsort(first))[inverse]
    groups = np.empty(len(codes), dtype=np.int64)
    groups[order] = turn if len(first) <= GROUPS else turn * GROUPS // len(first)
    return groups


def _places(sample: pl.DataFrame, column: str) -> Floats:
    ordered = in_order(sample, column)
    if ordered is None:
        ordered = sample[column].cast(pl.String).rank("ordinal").cast(pl.Float64).fill_null(np.nan).to_numpy()
    return ordered
