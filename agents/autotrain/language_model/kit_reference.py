"""The kit's blocks as a language model gets to know them: their cards, in words and by example."""

from __future__ import annotations

from collections.abc import Sequence

from sandboxes.kit.card import Card
from sandboxes.kit.ports import SLOTS


def block_list(cards: Sequence[Card]) -> str:
    """One line a block: enough to choose among them and to name their arguments."""
    return "\n".join(map(_line, cards))


def kit_reference(cards: Sequence[Card], asked: str, room: int) -> str:
    """Every block with its formula, its arguments, its call and an example that runs, in about `room` characters.

    Where that is not enough, blocks that `asked` names come first, and of the last ones there is a line each.
    """
    order = sorted(cards, key=lambda c: c.name not in asked and c.block not in asked)
    whole, lines = [_block(c) for c in order], [_line(c) for c in order]
    n = len(order)
    while n and sum(map(len, whole[:n])) + sum(map(len, lines[n:])) > room:
        n -= 1
    return "\n\n".join(filter(None, [*whole[:n], "\n".join(lines[n:])]))


def _block(card: Card) -> str:
    return (
        f"### {card.name}: `{card.block}` ({card.slot})\n{card.summary}{_arguments(card)}\n{card.equation}\n"
        f"Called: {card.ports}; {SLOTS[card.slot].purpose}\n```python\n{card.example.strip()}\n```"
    )


def _line(card: Card) -> str:
    return f"- `{card.name}`: {card.summary}{_arguments(card)}"


def _arguments(card: Card) -> str:
    """Names and defaults, as a constructor's call would write them."""
    return f" Arguments: {', '.join(f'`{a.name}={a.default!r}`' for a in card.arguments)}." if card.arguments else ""
