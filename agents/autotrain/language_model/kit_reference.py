"""The kit as a language model gets to know it: its cards, in words and by example."""

from __future__ import annotations

from collections.abc import Sequence

from sandboxes.kit.card import Card

CALLS = {
    "embedding": "(batch) -> (B, F, D)",
    "feature": "(B, F, D) -> (B, F, D)",
    "interaction": "(B, F, D) -> (B, out_dim)",
    "history": "(target (B, D), history (B, L, D), mask (B, L)) -> (B, out_dim)",
    "tower": "(B, K) -> (B, T) logits",
    "head": "logits (B, T) -> logits (B, T)",
    "scenario": "(x (B, K), scenario ids (B,)) -> (B, K)",
    "auxiliary": "(batch, fields (B, F, D)) -> scalar loss, already weighted",
    "scheme": "a function that returns the stages",
    "inference": "called from `predict`",
}


def block_list(cards: Sequence[Card]) -> str:
    """One line a block: enough to choose among them."""
    return "\n".join(f"- `{c.name}`: {c.summary}" for c in cards)


def kit_reference(cards: Sequence[Card]) -> str:
    """Every block with its formula, its call and an example that runs."""
    return "\n\n".join(
        f"### {c.name}: `{c.block}` ({c.slot})\n{c.summary}\n{c.equation}\nCalled: {CALLS[c.slot]}"
        + (" on the flattened embeddings (B, F * D)" if c.flat_input else "")
        + f"\n```python\n{c.example.strip()}\n```"
        for c in cards
    )
