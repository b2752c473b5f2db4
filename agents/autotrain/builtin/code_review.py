"""Reads a composed `model.py` again: which mechanisms it really builds and uses, and on which lines.

It believes the code, not the composer: a block that is built and never called does not implement anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agents.autotrain.builtin.choose import sources
from agents.autotrain.engine import Code, Judged
from agents.autotrain.spec import MethodSpec

_COMMENT = re.compile(r"^\s*# ([A-Za-z][A-Za-z0-9_]{0,11}): ")


@dataclass(frozen=True)
class Built:
    """A statement of the constructor that mechanisms' comments stand above. `lines` are 1-based, comments included."""

    ids: tuple[str, ...]
    attribute: str
    lines: tuple[int, int]
    used: bool  # another method reads the attribute, or another block is given it


def built(text: str) -> Iterator[Built]:
    """The commented statements of the class `Model`'s constructor."""
    rows = text.splitlines()
    model = next((n for n in ast.parse(text).body if isinstance(n, ast.ClassDef) and n.name == "Model"), None)
    if model is None:
        return
    functions = [f for f in model.body if isinstance(f, ast.FunctionDef)]
    read = {attribute for f in functions if f.name != "__init__" for attribute in _attributes(f)}
    for function in functions:
        for statement in function.body if function.name == "__init__" else ():
            first, ids = _comments_above(rows, statement.lineno)
            if isinstance(statement, ast.Assign) and ids:
                target, lines = statement.targets[0], (first, statement.end_lineno or statement.lineno)
                if isinstance(target, ast.Name):  # a block that is handed to another one
                    yield Built(ids, target.id, lines, target.id in _loaded(function))
                else:
                    attribute = next(iter(_attributes(target)), "")
                    yield Built(ids, attribute, lines, attribute in read)


def _attributes(node: ast.AST) -> Iterator[str]:
    """Names in `self.name` anywhere under the node."""
    for n in ast.walk(node):
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self":
            yield n.attr


def _loaded(function: ast.FunctionDef) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _comments_above(rows: Sequence[str], line: int) -> tuple[int, tuple[str, ...]]:
    """The first line of the comments right above `line`, and the ids they begin with."""
    first = line
    while first > 1 and rows[first - 2].lstrip().startswith("#"):
        first -= 1
    return first, tuple(m.group(1) for row in rows[first - 1 : line - 1] if (m := _COMMENT.match(row)))


def ids_in(code: Code) -> frozenset[str]:
    """The mechanisms that the code builds and uses."""
    return frozenset(i for b in built(code.text) if b.used for i in b.ids)


def judged(spec: MethodSpec, code: Code) -> Iterator[Judged]:
    """One judgement a mechanism: met where its block stands and nothing was simplified, missing where it does not stand."""
    place: Mapping[str, Built] = {i: b for b in built(code.text) if b.used for i in b.ids}
    for mechanism, source in sources(spec):
        note = next((n for n in code.notes if n.startswith(f"{source.id} (")), "")
        said = note.partition("): ")[2]
        simplified = said.startswith("simplified")
        here = place.get(source.id)
        if here is None:
            yield Judged(mechanism.id, "partly" if simplified else "missing", None, said or "the code does not use it")
        else:
            yield Judged(mechanism.id, "partly" if simplified else "met", here.lines, said)
