"""Which lookups of a model are of which field, found by looking: those that change when the field, and nothing else, changes.

So gates and gradients need to know nothing of how a model was built. A place may be of several fields, such as one of a memorised
cross. A field that a model also uses in other ways than by looking it up, such as to choose among its parts, cannot be mixed
gradually; that is noticed, and said.

Notation: B rows, P places of a lookup, D width.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from sandboxes.kit.batch import Batch
from sandboxes.kit.importance.asked import Asked
from sandboxes.kit.importance.config import Reason
from sandboxes.kit.importance.lookups import recorded, task_logits
from sandboxes.kit.importance.mixing import column, mixed

ROWS = 512
CLOSE, TOLERANCE = 1e-3, 1e-5  # the share of an effect, and the logits, that may come about in other ways


@dataclass(frozen=True)
class Places:
    """`of` maps a field to the lookups that are of it, and to where in each (P...), True; `unreadable` says of other fields why
    nothing is known. A field that the model does not use has no places."""

    of: dict[str, dict[int, Tensor]] = field(default_factory=dict)
    unreadable: dict[str, Reason] = field(default_factory=dict)


def found_places(asked: Asked) -> Places:
    """Looks at a few rows in which the field differs from that of another row, for each field that varies."""
    if fault := _fault(asked, asked.rows[:ROWS]):
        return Places(unreadable=dict.fromkeys(asked.varied, fault))
    order, places = asked.shuffle(asked.generator()), Places()
    for name in asked.varied:
        own, other = (asked.rows[which[:ROWS]] for which in differing(column(asked.rows, name, asked.schema), order))
        changes = _Changes.seen(asked, own, mixed(own, other, {name}, asked.schema))
        if said := changes.unlike_fields() or _otherwise(asked, name, own, changes):
            places.unreadable[name] = said
        else:
            places.of[name] = changes.places()
    return places


def differing(values: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of `values` (n, L) and, for each, another row of other values: that which `order` (n,) puts in its place, where one is
    other at all; else the first row. Some values differ."""
    own = (values != values[order]).any(1).nonzero().flatten()
    if len(own):
        return own, order[own]
    own = (values != values[:1]).any(1).nonzero().flatten()
    return own, torch.zeros_like(own)


@dataclass(frozen=True)
class _Changes:
    """What a model says (B,) and looks up, and what it would, were one field that of another row."""

    logits: Tensor
    lookups: list[Tensor]
    other_logits: Tensor
    other_lookups: list[Tensor]

    @classmethod
    @torch.no_grad()
    def seen(cls, asked: Asked, own: Batch, changed: Batch) -> _Changes:
        return cls(*recorded(asked.model, own, asked.task), *recorded(asked.model, changed, asked.task))

    def unlike_fields(self) -> Reason | None:
        """Why lookups cannot be told apart by field, None where they can."""
        if [x.shape for x in self.lookups] != [x.shape for x in self.other_lookups]:
            return "not by row"
        n, changed = len(self.logits), [a for a, b in self._pairs() if not torch.equal(a, b)]
        return "not by row" if any(x.dim() < 2 or len(x) != n for x in changed) else None

    def places(self) -> dict[int, Tensor]:
        """Where lookups differ (P...), by their numbers."""
        return {i: (a != b).any(-1).any(0) for i, (a, b) in enumerate(self._pairs()) if not torch.equal(a, b)}

    def _pairs(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(self.lookups, self.other_lookups, strict=True))


def _otherwise(asked: Asked, name: str, own: Batch, changes: _Changes) -> Reason | None:
    """Why gates on the lookups do not show what a field does, None where they do."""
    of = changes.places()
    gap = (changes.logits - changes.other_logits).abs().max()
    if name in {f.name for f in asked.schema.numeric}:
        return None if of or gap == 0 or _slopes(asked, own, name) else "otherwise"
    if name in own.history:  # which of its places are padding a model knows without looking anything up
        return None if of or gap == 0 else "otherwise"

    def changed(number: int, lookup: Tensor) -> Tensor:
        return changes.other_lookups[number] if number in of else lookup

    with torch.no_grad():
        instead = task_logits(asked.model, own, asked.task, changed)
    return None if (instead - changes.other_logits).abs().max() <= CLOSE * gap + TOLERANCE else "otherwise"


def _slopes(asked: Asked, own: Batch, name: str) -> bool:
    """Whether predictions have a gradient by a number."""
    numeric = own.numeric.clone().requires_grad_()
    logits = task_logits(asked.model, replace(own, numeric=numeric), asked.task)
    if not logits.requires_grad:
        return False
    (slopes,) = torch.autograd.grad(logits.sum(), numeric)
    return bool((slopes[:, [f.name for f in asked.schema.numeric].index(name)] != 0).any())


def _fault(asked: Asked, rows: Batch) -> Reason | None:
    """Why this cannot be asked of the model at all, None where it can."""
    numeric = rows.numeric.clone().requires_grad_()
    logits = task_logits(
        asked.model, replace(rows, numeric=numeric), asked.task, lambda number, lookup: lookup.detach().requires_grad_()
    )
    if not logits.requires_grad:
        return "no gradient"
    again = task_logits(asked.model, rows, asked.task)
    return None if torch.allclose(logits, again, atol=TOLERANCE) else "draws"
