"""The kit's blocks as a language model gets to know them: their cards, in words and by example."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from agents.autotrain.spec import MethodSpec
from memory.embeddings import WordEmbeddings
from sandboxes.kit import layers
from sandboxes.kit.card import Card
from sandboxes.kit.needs import offered
from sandboxes.kit.ports import SLOTS
from sandboxes.kit.schema import Schema

NEAREST = 2  # blocks shown whole for each mechanism


def block_list(cards: Sequence[Card]) -> str:
    """One line a block: enough to choose among them and to name their arguments."""
    return "\n".join(map(_line, cards))


def kit_reference(cards: Sequence[Card], spec: MethodSpec, schema: Schema, room: int) -> str:
    """The blocks that matter to `spec` with formula, arguments, call and an example that runs; a line for each other one that the
    data allows.

    In about `room` characters: where that is not enough, the others are not told how they are called, and then the least near of
    those shown whole are among them.
    """
    near, data = nearest(tuple(cards), spec), offered(schema)
    others = [c for c in cards if data.issuperset(c.needs)]
    for n, told in [(len(near), _called), *((n, _line) for n in range(len(near), -1, -1))]:
        whole, rest = near[:n], [c for c in others if c not in near[:n]]
        text = "\n\n".join(filter(None, [*map(_block, whole), "\n".join(map(told, rest))]))
        if len(text) <= room:
            break
    return text


def blocks_in(cards: Sequence[Card], code: str) -> str:
    """The blocks that a file imports, whole."""
    return "\n\n".join(_block(c) for c in cards if re.search(rf"\b{c.block}\b", code))


def nearest(cards: tuple[Card, ...], spec: MethodSpec) -> list[Card]:
    """Blocks that the spec names, then those nearest in meaning to each of its mechanisms, nearest first."""
    named = {m.block for m in spec.mechanisms}
    found = {c.name: c for c in cards if c.name in named}
    texts = [f"{m.name}. {m.description}" for m in spec.mechanisms]
    if texts:
        likeness = np.array(WordEmbeddings().embed_documents(texts)) @ _vectors(cards).T  # (mechanisms, cards)
        best = sorted(((row[i], i) for row in likeness for i in np.argsort(-row)[:NEAREST]), reverse=True)
        found |= {cards[i].name: cards[i] for _, i in best if cards[i].name not in found}
    return list(found.values())


@cache
def _vectors(cards: tuple[Card, ...]) -> np.ndarray:
    return np.array(WordEmbeddings().embed_documents([f"{c.name.replace('_', ' ')}. {c.summary}" for c in cards]))


def _block(card: Card) -> str:
    return (
        f"### {card.name}: `{_constructor(card)}` ({card.slot})\n{card.summary}\n{card.equation}\n{_learned(card)}"
        f"Called: {card.ports}; {SLOTS[card.slot].purpose}\n```python\n{card.example.strip()}\n```"
    )


def _learned(card: Card) -> str:
    """The block's parameters and layers by the names of their attributes, as a line; "" where it has none."""
    found = {name: made for node in ast.walk(_source(card)) for name, made in _attribute(node) if made != "Dropout"}
    said = ", ".join(f"`{name}`" + ("" if made == "Parameter" else f" ({made})") for name, made in found.items())
    return f"Learned: {said}.\n" if said else ""


def _source(card: Card) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(getattr(layers, card.block))))


def _attribute(node: ast.AST) -> Iterator[tuple[str, str]]:
    """`self.name = nn.Made(...)` as the name and what it was made by."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        made, target = node.value.func, node.targets[0]
        if isinstance(made.value, ast.Name) and made.value.id == "nn" and isinstance(target, ast.Attribute):
            yield target.attr, made.attr


def _line(card: Card) -> str:
    return f"- `{card.name}`: {card.summary}{_arguments(card)}"


def _called(card: Card) -> str:
    return f"- `{card.name}`, `{_constructor(card)}`: {card.summary} Called: {card.ports}."


def _constructor(card: Card) -> str:
    """The block's class with its arguments, without their types."""
    given = inspect.signature(getattr(layers, card.block)).parameters.values()
    return f"{card.block}({', '.join(p.name if p.default is p.empty else f'{p.name}={p.default!r}' for p in given)})"


def _arguments(card: Card) -> str:
    """Names and defaults, as a constructor's call would write them."""
    return f" Arguments: {', '.join(f'`{a.name}={a.default!r}`' for a in card.arguments)}." if card.arguments else ""
