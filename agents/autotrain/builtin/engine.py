"""The built-in engine: reads a paper by cues and nearness, composes a model from the kit's blocks, repairs by leaving out.

It needs no network and no key, and knows mechanisms only: what stands on the cards of `sandboxes.kit.layers`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from agents.autotrain.builtin.architect import SKELETON_LINEAR, SKELETON_TOWER, draw
from agents.autotrain.builtin.blueprint import Blueprint
from agents.autotrain.builtin.code_review import built, ids_in, judged
from agents.autotrain.builtin.parse import parse
from agents.autotrain.builtin.render import render
from agents.autotrain.engine import Code, Failure, Review, Tried
from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from agents.errors import NothingToBuild
from sandboxes.kit.card import Card
from sandboxes.kit.layers import CARDS
from sandboxes.kit.schema import Schema

COMMON = frozenset({SKELETON_LINEAR, SKELETON_TOWER})  # parts of nearly every model: they alone are no paper's method


class BuiltinEngine:
    """See `agents.autotrain.engine.Engine`. Deterministic: the same paper and data give the same code."""

    name = "builtin"

    def __init__(self, cards: Sequence[Card] = CARDS) -> None:
        self._cards = tuple(cards)

    def parse(self, paper: Paper) -> MethodSpec:
        return parse(paper, self._cards)

    def write(self, spec: MethodSpec, schema: Schema, before: Sequence[Tried] = (), lessons: Sequence[str] = ()) -> Code:
        """The one model it composes, whatever came before. Raises `NothingToBuild` when this data lets none of what is
        particular to the paper stand."""
        blueprint = draw(spec, schema, self._cards)
        _demand_substance(spec, blueprint)
        return _code(blueprint)

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        """The model without the block that failed: the one the failure names, else the one read with least confidence.

        It has nothing to add to a model that is not faithful: it took all that the kit offers when it wrote.
        """
        if failure.stage == "fidelity":
            return None
        held = ids_in(code)
        victim = _victim(spec, code, held, failure)
        if victim is None:
            return None
        gone = [m.id for m in spec.mechanisms if m.block and m.id not in held]
        block = next(m.block for m in spec.mechanisms if m.id == victim)
        said = failure.message.strip().splitlines()[-1][:120] if failure.message.strip() else "no reason was given"
        without = dict.fromkeys(gone, "left out so that the rest could pass")
        without |= {m.id: f"with it the {failure.stage} failed, {said}" for m in spec.mechanisms if m.block == block}
        blueprint = draw(spec, schema, self._cards, without)
        try:
            _demand_substance(spec, blueprint)
        except NothingToBuild:
            return None
        return _code(blueprint)

    def review(self, spec: MethodSpec, code: Code) -> Review:
        rows = tuple(judged(spec, code))
        held = ids_in(code)
        main = next((m.id for m in spec.mechanisms if m.id in held and m.block not in COMMON), None)
        return Review(rows, main or next((m.id for m in spec.mechanisms if m.id in held), None))

    def ablate(self, spec: MethodSpec, schema: Schema, code: Code, mechanism: str) -> Code | None:
        """Without every mechanism of that block. None when the model would be the same: a gap is filled by the same block."""
        held = ids_in(code)
        blocks = {m.block for m in spec.mechanisms if m.id == mechanism}
        without = {m.id: "left out to see what it is worth" for m in spec.mechanisms if m.block in blocks or m.id not in held}
        left = _code(draw(spec, schema, self._cards, without))
        return None if _structure(left.text) == _structure(code.text) else left


def _code(blueprint: Blueprint) -> Code:
    return Code(render(blueprint), composed=True, notes=tuple(str(n) for n in blueprint.notes))


def _demand_substance(spec: MethodSpec, blueprint: Blueprint) -> None:
    """A deep tower or first-order weights do not stand for a paper that proposes more than them."""
    particular = [m for m in spec.mechanisms if m.block not in COMMON]
    blocks = {p.card.name for p in blueprint.parts if p.sources}
    if blocks - COMMON or (blocks and not particular):
        return
    why = "; ".join(str(n) for n in blueprint.notes if n.outcome == "left out") or "no mechanism was recognised"
    raise NothingToBuild(f"nothing that is particular to the paper can be built on this data: {why}")


def _victim(spec: MethodSpec, code: Code, held: frozenset[str], failure: Failure) -> str | None:
    """The mechanism to leave out, None when there is none."""
    named = {i for b in built(code.text) if re.search(rf"\b{re.escape(b.attribute)}\b", failure.message) for i in b.ids}
    for group in (named & held, held):
        candidates = [m for m in spec.mechanisms if m.id in group]
        if candidates:
            return min(candidates, key=lambda m: m.confidence).id
    return None


def _structure(text: str) -> str:
    """What the code does, without comments and docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
