"""A block's card: all that the built-in engine knows about a block, in the field's words.

A card describes a mechanism, never a paper: no titles, no model brand names that only one paper uses.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandboxes.kit.needs import NeedName
from sandboxes.kit.ports import JOINTS, SLOTS, Placement, Ports, Slot, Value


@dataclass(frozen=True)
class Argument:
    """A constructor argument that a paper may set: its name, its default and the words papers use for it."""

    name: str
    default: int | float | bool | str | tuple[int, ...]
    phrases: tuple[str, ...]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Card:
    """What a block does and how a paper would speak of it."""

    name: str  # the block's identifier, such as "cross_network_v2"
    block: str  # the class in `sandboxes.kit.layers`
    slot: Slot
    summary: str  # one sentence: what it computes
    equation: str  # the formula in plain text, with the source (paper, equation number)
    cues: tuple[str, ...]  # phrases whose presence is strong evidence, lower case; the first is what the field calls it
    descriptions: tuple[str, ...]  # sentences a paper might use, for semantic nearness
    arguments: tuple[Argument, ...] = ()
    needs: tuple[NeedName, ...] = ()
    placement: Placement | None = None  # for slot "interaction"
    takes: tuple[Value, ...] = ()  # what the block is called with, where that is not what its slot's row says
    example: str = ""  # a few lines that build and call the block; executed in tests

    @property
    def ports(self) -> Ports:
        """What the block is called with and gives: its slot's ports, as placement and `takes` specify them."""
        usual = SLOTS[self.slot].ports
        return Ports(self.takes or usual.takes, JOINTS[self.placement].gives if self.placement else usual.gives)
