"""The kit as a language model gets to know it: the embedding, a whole file as example, and the cards in words and by example."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autotrain.language_model.prompts import prompt
from sandboxes.kit.card import Card
from sandboxes.kit.ports import SLOTS


def block_list(cards: Sequence[Card]) -> str:
    """One line a block: enough to choose among them and to name their arguments."""
    return "\n".join(f"- `{c.name}`: {c.summary}{_arguments(c)}" for c in cards)


def kit_reference(cards: Sequence[Card]) -> str:
    """The embedding, a whole file, and every block with its formula, its arguments, its call and an example that runs."""
    return "\n\n".join([prompt("kit"), *map(_block, cards)])


def _block(card: Card) -> str:
    return (
        f"### {card.name}: `{card.block}` ({card.slot})\n{card.summary}{_arguments(card)}\n{card.equation}\n"
        f"Called: {card.ports}; {SLOTS[card.slot].purpose}\n```python\n{card.example.strip()}\n```"
    )


def _arguments(card: Card) -> str:
    """Names and defaults, as a constructor's call would write them."""
    return f" Arguments: {', '.join(f'`{a.name}={a.default!r}`' for a in card.arguments)}." if card.arguments else ""
