"""What the kit's blocks themselves say beyond their cards: the parameters of their constructors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from sandboxes.kit import layers
from sandboxes.kit.card import Card


def block(card: Card) -> Callable[..., Any]:
    """The class that the card describes."""
    found: Callable[..., Any] = getattr(layers, card.block)
    return found


def required(card: Card) -> tuple[str, ...]:
    """Names of the constructor's parameters without a default, in order."""
    return tuple(p.name for p in _parameters(card) if p.default is inspect.Parameter.empty)


def accepts(card: Card, name: str) -> bool:
    return any(p.name == name for p in _parameters(card))


def has_divergence(card: Card) -> bool:
    """Whether the block offers `kl()`, a divergence of its last forward pass to add to the loss."""
    return hasattr(block(card), "kl")


def has_stages(card: Card) -> bool:
    """Whether the block has a say in the training scheme."""
    return hasattr(block(card), "staged")


def meets(card: Card) -> bool:
    """Whether the block learns of all items before training."""
    return hasattr(block(card), "meet")


def stage_loss(card: Card) -> str:
    """The block's method `(batch) -> scalar` that a stage of its own minimises, and the model's of that name; "" without one."""
    found: str = getattr(block(card), "stage_loss", "")
    return found


def _parameters(card: Card) -> list[inspect.Parameter]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p for p in inspect.signature(block(card)).parameters.values() if p.kind in named]
