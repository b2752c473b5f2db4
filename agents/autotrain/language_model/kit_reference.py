"""The kit as a language model gets to know it: the embedding, a whole file as example, and the cards in words and by example."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autotrain.language_model.prompts import prompt
from sandboxes.kit.card import Card

CALLS = {
    "embedding": "(batch) -> (B, F, D)",
    "feature": "(B, F, D) -> (B, F, D)",
    "interaction": "(B, F, D) -> (B, out_dim)",
    "history": "(target (B, D), history (B, L, D), mask (B, L)) -> (B, out_dim)",
    "tower": "(B, K) -> (B, T) logits",
    "head": "logits (B, T) -> logits (B, T)",
    "scenario": "(x (B, K), scenario ids (B,)) -> (B, K)",
    "auxiliary": "(fields (B, F, D)) -> scalar loss, already weighted",
    "loss": "(logits (B, T), batch) -> scalar loss, in place of the cross-entropy",
    "scheme": "staged(stages) -> stages, in `stages()`",
    "update": "staged(stages) -> stages, in `stages()`",
    "inference": "called from `predict`",
}


def block_list(cards: Sequence[Card]) -> str:
    """One line a block: enough to choose among them and to name their arguments."""
    return "\n".join(f"- `{c.name}`: {c.summary}{_arguments(c)}" for c in cards)


def kit_reference(cards: Sequence[Card]) -> str:
    """The embedding, a whole file, and every block with its formula, its arguments, its call and an example that runs."""
    return "\n\n".join([prompt("kit"), *map(_block, cards)])


def _block(card: Card) -> str:
    flat = " on the flattened embeddings (B, F * D)" if card.flat_input else ""
    return (
        f"### {card.name}: `{card.block}` ({card.slot})\n{card.summary}{_arguments(card)}\n{card.equation}\n"
        f"Called: {CALLS[card.slot]}{flat}\n```python\n{card.example.strip()}\n```"
    )


def _arguments(card: Card) -> str:
    """Names and defaults, as a constructor's call would write them."""
    return f" Arguments: {', '.join(f'`{a.name}={a.default!r}`' for a in card.arguments)}." if card.arguments else ""
