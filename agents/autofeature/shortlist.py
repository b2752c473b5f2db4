"""What is worth a trial: proposals that explain residuals, hashes of large vocabularies, fields that lie idle."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autofeature.changes import Change, Drop, roles_of
from agents.autofeature.screening import Screened
from agents.autofeature.trials import Aim
from agents.strict import Strict
from sandboxes.kit.data.spec import TableSpec

MOST_SHARED = 2  # fields that are let share an embedding in one run


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


def bundles(
    proposed: Sequence[ProposedRow], screened: Sequence[Screened], idle: Sequence[str], most_hashes: int = 2
) -> tuple[Bundle, ...]:
    """Each chosen proposal by itself; hashes, of the largest vocabularies first; and the `idle` fields, least useful first,
    dropped all together, the worse half of them, and the worst quarter."""
    by_name = {row.change.name: row for row in proposed}
    chosen = [by_name[s.name] for s in screened if s.chosen]
    found = [Bundle(name=row.change.name, aim="gain", changes=(row.change,), why=row.why) for row in chosen]
    shared = [r for r in proposed if r.change.kind == "share"][:MOST_SHARED]
    found += [Bundle(name=f"share_{r.change.name}", aim="saving", changes=(r.change,), why=r.why) for r in shared]
    hashed = sorted((r for r in proposed if r.change.kind == "hash"), key=lambda r: -getattr(r.change, "buckets", 0))
    found += [Bundle(name=f"hash_{r.change.name}", aim="saving", changes=(r.change,), why=r.why) for r in hashed[:most_hashes]]
    for size in dict.fromkeys(n for n in (len(idle), len(idle) // 2, len(idle) // 4) if n):
        drops = tuple(Drop(name=name) for name in idle[:size])
        why = f"by every method {'they say' if size > 1 else 'it says'} no more than chance would"
        found.append(Bundle(name=f"drop_{size}", aim="idle", changes=drops, why=why))
    return tuple(found)


def droppable(spec: TableSpec, idle: Sequence[str]) -> list[str]:
    """Those of the idle fields, in their order, that the description holds and nothing else needs. At least one field stays."""
    own = {f.name for f in spec.features} | {s.name for s in spec.sequences}
    return [name for name in idle if name in own and not roles_of(spec, name)][: len(own) - 1]
