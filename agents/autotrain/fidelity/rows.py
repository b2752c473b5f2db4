"""What a review came to: a row a leaf, with who decided it; from these, how each mechanism stands and how much is faithful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from agents.autotrain.engine import Judged, Judgement
from agents.autotrain.fidelity.rubric import Leaf, LeafKind
from agents.autotrain.spec import MethodSpec
from agents.strict import Strict

Status = Literal["implemented", "simplified", "missing"]
Decider = Literal["reviewer", "numbers", "settings", "nobody"]
WORTH: Mapping[Judgement, float] = {"met": 1.0, "partly": 0.5, "missing": 0.0}


class LeafRow(Strict):
    """A leaf as it was judged; `judgement` is None where nobody could."""

    leaf: str
    kind: LeafKind
    of: str
    asks: str
    judgement: Judgement | None = None
    lines: tuple[int, int] | None = None
    note: str = ""
    decided_by: Decider = "nobody"

    @property
    def wanting(self) -> bool:
        return self.judgement in ("partly", "missing")

    @property
    def depends_on_code(self) -> bool:
        """Hyper-parameters do not: they are set, or tuned for every model alike, and no other code would change them."""
        return self.kind != "hyper-parameter"

    @property
    def in_words(self) -> str:
        return f"{self.leaf} ({self.kind}: {self.asks}) is {self.judgement}{f': {self.note}' if self.note else ''}"


class MechanismRow(Strict):
    """How one mechanism stands in the code."""

    mechanism: str
    status: Status
    lines: tuple[int, int] | None = None
    note: str = ""


def leaf_rows(
    leaves: Sequence[Leaf], opinions: Sequence[Judged], settings: Sequence[Judged] = (), numbers: Sequence[Judged] = ()
) -> tuple[LeafRow, ...]:
    """A row for each leaf. What the run's settings and numeric checks show counts before what the reviewer thinks."""
    said: dict[str, tuple[Judged, Decider]] = {j.leaf: (j, "reviewer") for j in opinions}
    said |= {j.leaf: (j, "settings") for j in settings}
    said |= {j.leaf: (replace(j, lines=said[j.leaf][0].lines if j.leaf in said else None), "numbers") for j in numbers}
    return tuple(_row(leaf, *said.get(leaf.id, (None, "nobody"))) for leaf in leaves)


def mechanism_rows(spec: MethodSpec, rows: Sequence[LeafRow]) -> tuple[MechanismRow, ...]:
    """One row a mechanism: missing where nothing of it is there, simplified where a part or an equation is not the paper's."""
    return tuple(_mechanism(m.id, [r for r in rows if r.of == m.id]) for m in spec.mechanisms)


def faithful(rows: Sequence[LeafRow]) -> float:
    """The share of what was judged and depends on the code that is as in the paper, in [0, 1]; 1 where nothing was judged."""
    worth = [WORTH[r.judgement] for r in rows if r.judgement and r.depends_on_code]
    return sum(worth) / len(worth) if worth else 1.0


def lacking(rows: Sequence[LeafRow]) -> str:
    """What an improvement has to mend, a line each, "" when nothing is lacking."""
    return "\n".join(r.in_words for r in rows if r.wanting and r.depends_on_code)


def _row(leaf: Leaf, said: Judged | None, by: Decider) -> LeafRow:
    shared = {"leaf": leaf.id, "kind": leaf.kind, "of": leaf.of, "asks": leaf.asks}
    if said is None:
        return LeafRow(**shared)
    return LeafRow(**shared, judgement=said.judgement, lines=said.lines, note=said.note, decided_by=by)


def _mechanism(mechanism: str, rows: Sequence[LeafRow]) -> MechanismRow:
    head = next(r for r in rows if r.kind == "mechanism")
    if head.judgement in (None, "missing"):
        return MechanismRow(mechanism=mechanism, status="missing", note=head.note or "nobody found it in the code")
    wrong = [r for r in rows if r.wanting]
    notes = dict.fromkeys(r.note for r in (wrong or [head]) if r.note)
    return MechanismRow(
        mechanism=mechanism, status="simplified" if wrong else "implemented", lines=head.lines, note="; ".join(notes)
    )
