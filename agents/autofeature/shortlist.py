"""What is worth a trial: proposals that explain residuals of the incumbent, hashes of large vocabularies, fields that lie idle."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autofeature.changes import Change, Drop, roles_of
from agents.autofeature.propose import Proposed
from agents.autofeature.screening import Screened
from agents.autofeature.selection import Scores
from agents.autofeature.trials import Aim
from agents.strict import Strict
from sandboxes.kit.data.spec import TableSpec

ERRORS = 2.0  # standard errors up to which a score is that of a field without use


class ProposedRow(Strict):
    """A proposal as it is kept: the change, why, and by whom."""

    change: Change
    why: str
    by: str
    relied_on: tuple[str, ...] = ()


class Bundle(Strict):
    """Changes that are tried together, and what for."""

    name: str
    aim: Aim
    changes: tuple[Change, ...]
    why: str


def rows_of(proposals: Sequence[Proposed], by: str) -> tuple[ProposedRow, ...]:
    return tuple(ProposedRow(change=p.change, why=p.why, by=by, relied_on=p.relied_on) for p in proposals)


def bundles(
    proposed: Sequence[ProposedRow], screened: Sequence[Screened], idle: Sequence[str], most_hashes: int = 2
) -> tuple[Bundle, ...]:
    """Each chosen proposal by itself; hashes, of the largest vocabularies first; and the `idle` fields, least useful first,
    dropped all together, the worse half of them, and the worst quarter."""
    by_name = {row.change.name: row for row in proposed}
    chosen = [by_name[s.name] for s in screened if s.chosen]
    found = [Bundle(name=row.change.name, aim="gain", changes=(row.change,), why=row.why) for row in chosen]
    hashed = sorted((r for r in proposed if r.change.kind == "hash"), key=lambda r: -getattr(r.change, "buckets", 0))
    found += [Bundle(name=f"hash_{r.change.name}", aim="saving", changes=(r.change,), why=r.why) for r in hashed[:most_hashes]]
    for size in dict.fromkeys(n for n in (len(idle), len(idle) // 2, len(idle) // 4) if n):
        drops = tuple(Drop(name=name) for name in idle[:size])
        why = f"by every method {'they say' if size > 1 else 'it says'} no more than chance would"
        found.append(Bundle(name=f"drop_{size}", aim="saving", changes=drops, why=why))
    return tuple(found)


def idle_fields(spec: TableSpec, scores: Sequence[Scores], ranking: Sequence[str]) -> list[str]:
    """The fields that may go: no method that knows its error finds more in them than chance, and nothing else needs them. Least
    useful first by `ranking`, which begins with the most useful. At least one other field stays."""
    known = [f for s in scores for f in s.fields if f.standard_error is not None]
    tested = {f.field for f in known}
    busy = {f.field for f in known if f.score > ERRORS * (f.standard_error or 0.0)}
    own = {f.name for f in spec.features} | {s.name for s in spec.sequences}
    idle = [name for name in reversed(ranking) if name in (tested - busy) & own and not roles_of(spec, name)]
    return idle[: len(own) - 1]
