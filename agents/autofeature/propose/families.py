"""Proposals that follow from what the table's columns are. Crosses, which take a look at rows, are in `crosses`."""

from __future__ import annotations

from collections.abc import Iterator

from agents.autofeature.changes import Add, Hash, ShareIds
from agents.autofeature.propose.known import Known, Proposed
from sandboxes.kit.data.spec import Categorical, Numeric
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.histories import HistoryMeasure
from sandboxes.kit.features.statistics import Rate, Share
from sandboxes.kit.features.times import Elapsed, Part, TimePart

FEW_NUMBERS = 8  # different values up to which a number has nothing to bin
MANY_VALUES = 30  # of a category from which on its statistics may say more than its ids
HASHED_FROM = 50_000  # values of a vocabulary from which on a hash may be as good
HASHED_TO = 4  # times fewer buckets than values
FEWEST_SHARED = 30  # values from which on a common embedding saves anything
MOSTLY = 0.9  # of the values, that must be those of the other field
PARTS: tuple[Part, ...] = ("hour", "weekday", "hour_of_week")
MEASURES = {"matches": "how often it was met", "length": "how much there is", "since_match": "how long ago it was met"}


def binned_numbers(known: Known) -> Iterator[Proposed]:
    for n in known.spec.numeric:
        column = n.column or n.name
        if column in known.columns and known.columns[column].values > FEW_NUMBERS:
            name = f"{plain(n.name)}_bins"
            by = "auto" if known.learns else "equal_frequency"
            bins = Bins(name, column, by, task=known.learns)  # type: ignore[arg-type]
            change = Add(name=name, gives="text", derived=(bins,), side=n.side)
            yield Proposed(change, f"{n.name} may have an effect that is not a straight line")


def statistics(known: Known) -> Iterator[Proposed]:
    for c in known.spec.categorical:
        column, values = c.column or c.name, known.cardinality(c.name)
        if values >= MANY_VALUES:
            share = Share(f"{plain(c.name)}_share", (column,))
            yield Proposed(_number(share, c), f"how common a value of {c.name} is may matter, {values:,} of them")
            if known.learns:
                rate = Rate(f"{plain(c.name)}_rate", (column,), known.learns)
                why = f"of rare values of {c.name} the rate of {known.task} says more than their own weights"
                yield Proposed(_number(rate, c), why)


def _number(made: Share | Rate, of: Categorical | Numeric) -> Add:
    return Add(name=made.name, gives="number", derived=(made,), side=of.side)


def hashed_fields(known: Known) -> Iterator[Proposed]:
    for c in known.spec.categorical:
        values = known.cardinality(c.name)
        if values >= HASHED_FROM and not c.hash_buckets:
            why = f"{c.name} has {values:,} values, and a smaller table may be as good"
            yield Proposed(Hash(name=c.name, buckets=values // HASHED_TO), why)


def shared_embeddings(known: Known) -> Iterator[Proposed]:
    """Pairs of fields whose values are mostly the same: of the one with fewer, nearly all are values of the other."""
    values = known.vocabularies()
    fields = sorted(values, key=lambda name: (-len(values[name]), name))
    for place, smaller in enumerate(fields):
        for larger in fields[:place]:
            own, common = values[smaller], values[smaller] & values[larger]
            if len(own) >= FEWEST_SHARED and len(common) >= MOSTLY * len(own) and _mean_the_same(smaller, larger, common):
                why = f"{len(common) / len(own):.0%} of the values of {smaller} are values of {larger} too"
                yield Proposed(ShareIds(name=smaller, owner=larger), why)
                break


def _mean_the_same(name: str, other: str, common: set[str]) -> bool:
    """Numbers mean another thing in each field, unless one field is called after the other, as last_item is after item."""
    words = sum(not value.replace(".", "", 1).replace("-", "", 1).isdigit() for value in common)
    return words > len(common) / 2 or other.lower() in name.lower() or name.lower() in other.lower()


def history_measures(known: Known) -> Iterator[Proposed]:
    fields = {c.name for c in known.spec.categorical}
    for s in known.spec.sequences:
        for says, why in MEASURES.items() if s.of in fields else ():
            measure = HistoryMeasure(f"{plain(s.name)}_{says}", s.name, says)  # type: ignore[arg-type]
            yield Proposed(Add(name=measure.name, gives="number", derived=(measure,)), f"of {s.name}, {why} may matter")


def time_parts(known: Known) -> Iterator[Proposed]:
    for column, facts in known.columns.items():
        for part in PARTS if facts.kind == "time" else ():
            made = TimePart(f"{plain(column)}_{part}", column, part, facts.unit)
            change = Add(name=made.name, gives="text", derived=(made,))
            yield Proposed(change, f"behaviour changes with the {part.replace('_', ' ')}, which {column} holds")


def elapsed_times(known: Known) -> Iterator[Proposed]:
    """From other times to the row's own: ages."""
    now = known.spec.time
    times = {c: f for c, f in known.columns.items() if f.kind == "time"}
    for column, facts in times.items() if now in times else ():
        if column != now and now is not None and facts.unit == times[now].unit:
            made = Elapsed(f"since_{plain(column)}", now, column, facts.unit)
            change = Add(name=made.name, gives="number", derived=(made,))
            yield Proposed(change, f"how long ago {column} was may matter")


def raw_columns(known: Known) -> Iterator[Proposed]:
    """Columns of the table that the description does not use."""
    used = set(known.spec.columns)
    for column, facts in known.columns.items():
        if column in used or facts.dropped or facts.kind not in ("category", "number") or facts.values < 2:
            continue
        gives = "text" if facts.kind == "category" else "number"
        change = Add(name=column, gives=gives, column=column, min_frequency=2 if gives == "text" else 1)
        yield Proposed(change, f"the table has a column {column}, and no feature is made of it")


def plain(name: str) -> str:
    """The name with nothing but letters, digits, _ and -."""
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in name)
