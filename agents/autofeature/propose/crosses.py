"""Pairs of fields that say together what the incumbent has not understood: all are looked at, the best are proposed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from scipy.stats import norm

from agents.autofeature.changes import Add
from agents.autofeature.propose.families import plain
from agents.autofeature.propose.known import Known, Proposed
from agents.autofeature.residuals import Explained
from sandboxes.kit.data.spec import Categorical, Numeric
from sandboxes.kit.features import AnyTransform
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.cross import Cross

MOST = 12
CHANCE = 0.5  # pairs of noise that are expected among those proposed
MOST_PAIRS = 2000  # that are looked at: those of the fields with fewer values first
BINS = 16  # of a number that is crossed


def crosses(known: Known) -> Iterator[Proposed]:
    """The pairs that explain most of the incumbent's residuals, beyond what chance would show among so many."""
    if known.residuals is None:
        return
    codes = known.codes()
    fields = {f.name: f for f in known.spec.features if f.name in codes}
    made = {d.name: d for d in known.spec.derived if d.how in ("cross", "history", "rate", "share")}
    single = sorted((n for n, f in fields.items() if (f.column or n) not in made), key=lambda n: int(codes[n].max(initial=0)))
    pairs = list(combinations(single, 2))[:MOST_PAIRS]
    found = {pair: known.residuals.explained_together(codes[pair[0]], codes[pair[1]]) for pair in pairs}
    least = norm.isf(CHANCE / max(len(pairs), 1))
    best = sorted((pair for pair in pairs if found[pair].z > least), key=lambda pair: -found[pair].z)
    for first, second in best[:MOST]:
        yield Proposed(_cross(fields[first], fields[second]), _why(first, second, found[first, second], len(pairs)))


def _cross(first: Categorical | Numeric, second: Categorical | Numeric) -> Add:
    parts = [_as_text(first), _as_text(second)]
    name = f"{plain(first.name)}_x_{plain(second.name)}"
    cross = Cross(name, tuple(column for column, _ in parts))
    helpers = tuple(d for _, d in parts if d is not None)
    return Add(name=name, gives="text", derived=(*helpers, cross), min_frequency=2)


def _as_text(field: Categorical | Numeric) -> tuple[str, AnyTransform | None]:
    """The column to cross, and what makes it where the field is a number."""
    column = field.column or field.name
    if isinstance(field, Categorical):
        return column, None
    bins = Bins(f"{plain(field.name)}_in_{BINS}", column, "equal_frequency", BINS)
    return bins.name, bins


def _why(first: str, second: str, found: Explained, pairs: int) -> str:
    return f"{first} and {second} explain together what the model does not know (z {found.z:.1f}, of {pairs} pairs)"
