"""A block's card: all that the built-in engine knows about a block, in the field's words.

A card describes a mechanism, never a paper: no titles, no model brand names that only one paper uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Slot = Literal[
    "embedding",  # (batch) -> (B, F, D): replaces or regularises the feature embedding
    "feature",  # (B, F, D) -> (B, F, D): refines embeddings before interaction (gates, dropout)
    "interaction",  # (B, F, D) -> (B, K) or (B,): one parallel branch over the fields
    "history",  # (target (B, D), history (B, L, D), mask (B, L)) -> (B, K): summarises behaviour
    "tower",  # (B, K) -> (B, T) logits: how tasks share and split
    "head",  # logits (B, T) -> logits (B, T): how task outputs combine (products over the entire space)
    "scenario",  # (B, K), scenario ids (B,) -> (B, K): adapts a representation to the scenario
    "auxiliary",  # an additional loss on embeddings or histories
    "loss",  # (logits (B, T), batch) -> scalar: what training minimises in place of the cross-entropy
    "scheme",  # how training is staged; `staged(stages) -> stages`
    "update",  # which gradients the optimiser follows at a step; `staged(stages) -> stages`
    "inference",  # what is done to predictions at test time
]


# Where an interaction branch joins: its (B, 1) output is added to the logit; its vector is concatenated with the deep
# tower's output; or its vector is concatenated with the flat embeddings at the deep tower's input.
Placement = Literal["logit", "parallel", "input"]


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
    needs: tuple[Literal["history", "scenario", "several_tasks", "numeric", "target_item", "entire_space"], ...] = ()
    placement: Placement | None = None  # for slot "interaction"
    flat_input: bool = False  # takes (B, F * D) instead of (B, F, D)
    example: str = ""  # a few lines that build and call the block; executed in tests
