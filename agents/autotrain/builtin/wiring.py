"""Questions about blocks by their ports, asked alike of cards that were chosen and of parts that are placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from sandboxes.kit.card import Card
from sandboxes.kit.ports import Value


class HasCard(Protocol):
    @property
    def card(self) -> Card: ...


C = TypeVar("C", bound=HasCard)


def giving(found: Sequence[C], value: Value) -> tuple[C, ...]:
    """Those that bring `value` into the model; what refines it only changes what is there."""
    return tuple(c for c in found if c.card.ports.gives == value and not c.card.ports.refines)


def refining(found: Sequence[C], value: Value) -> tuple[C, ...]:
    """Those that stand one after the other between what brings `value` and what reads it."""
    return tuple(c for c in found if c.card.ports.gives == value and c.card.ports.refines)


def reading(found: Sequence[C], value: Value) -> tuple[C, ...]:
    """Those that make something else of `value`."""
    return tuple(c for c in found if value in c.card.ports.takes and not c.card.ports.refines)


def is_deep(card: Card) -> bool:
    """Whether the block is a deep tower: layers of hidden units over the flat input."""
    return (
        card.ports.takes == ("flat",)
        and card.ports.gives == "representation"
        and any(a.name == "hidden_units" for a in card.arguments)
    )
