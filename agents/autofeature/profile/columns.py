"""Each column's part of the profile, from what was counted of it."""

from __future__ import annotations

from collections.abc import Mapping

from agents.autofeature.profile.held import Held
from agents.autofeature.profile.kinds import Seen, kind_of
from agents.autofeature.profile.missing import present
from agents.autofeature.profile.model import ColumnProfile, Kind, Role
from agents.autofeature.profile.numbers import Counted, numbers_of
from agents.autofeature.profile.values import Shares, said


def kinds_of(held: Held, counts: Mapping[str, Counted], roles: Mapping[str, tuple[Role, ...]]) -> dict[str, Kind]:
    """The kind of every column. Counts of small tables are exact, those of others rough."""
    kinds: dict[str, Kind] = {}
    for c, dtype in held.schema.items():
        values = held.sample.select(present(c, dtype)).to_series().drop_nulls()
        rough, known = counts[c].distinct, held.rows - counts[c].missing
        distinct = values.n_unique() if len(values) == known else rough
        kinds[c] = kind_of(c, dtype, roles[c], Seen(values, distinct, known, counts[c].missing), held.spec)
    return kinds


def column_profiles(
    held: Held,
    counts: Mapping[str, Counted],
    kinds: Mapping[str, Kind],
    roles: Mapping[str, tuple[Role, ...]],
    shares: Mapping[str, Shares],
) -> tuple[ColumnProfile, ...]:
    return tuple(_profile(held, c, counts[c], kinds[c], roles[c], shares[c]) for c in held.schema)


def _profile(held: Held, name: str, count: Counted, kind: Kind, roles: tuple[Role, ...], share: Shares) -> ColumnProfile:
    earliest, latest = _span(held, name) if kind == "time" else ("", "")
    return ColumnProfile(
        name=name,
        dtype=str(held.schema[name]),
        kind=kind,
        roles=roles,
        null=count.null,
        nan=count.nan,
        empty=count.empty,
        missing=count.missing / max(held.rows, 1),
        distinct=share.distinct,
        exact=share.exact,
        top=share.top,
        entropy=share.entropy,
        once=share.once,
        numbers=numbers_of(held, name, count),
        earliest=earliest,
        latest=latest,
    )


def _span(held: Held, name: str) -> tuple[str, str]:
    """The first and the last value in order, as they stand in the table."""
    column = present(name, held.schema[name])
    if held.schema[name].is_nested():
        return "", ""
    low, high = held.frame.select(column.min().alias("low"), column.max().alias("high")).collect(engine="streaming").row(0)
    return ("", "") if low is None else (said(low), said(high))
