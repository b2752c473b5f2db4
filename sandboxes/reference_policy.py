"""The code policy for a reference: the naive text of one equation, which a layer is compared with.

It is held to all that a model.py is held to, and to less: it may not import the kit, whose blocks it is to be independent of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from sandboxes.policy import Violation, faults, parsed
from sandboxes.policy_rules import TORCH_MODULES

REFERENCE_MODULES = frozenset(("__future__", "math")) | TORCH_MODULES


def reference_violations(source: str, symbols: Iterable[str]) -> tuple[Violation, ...]:
    """Everything that may not be in a reference which is to take `symbols` as keyword arguments, by line; () when it may run."""
    tree = parsed(source)
    if isinstance(tree, Violation):
        return (tree,)
    imports = {v for node in ast.walk(tree) for v in _of_import(node)}
    lines = {v.line for v in imports}  # of one line one sentence says enough
    rest = {v for v in faults(tree) if v.line not in lines}
    return tuple(sorted(imports | rest | set(_of_signature(tree, set(symbols)))))


def _of_import(node: ast.AST) -> Iterator[Violation]:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    modules = [name.name for name in node.names] if isinstance(node, ast.Import) else ["." * node.level + (node.module or "")]
    for module in modules:
        if module not in REFERENCE_MODULES:
            yield Violation(node.lineno, f"a reference may not import `{module}`; write the equation with torch and math alone")


def _of_signature(tree: ast.Module, symbols: set[str]) -> Iterator[Violation]:
    wanted = ", ".join(sorted(symbols))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "reference"]
    if not found:
        yield Violation(1, f"there is no function reference; define `def reference({wanted})` at the top level")
        return
    given = found[-1].args
    named = {argument.arg for argument in (*given.args, *given.kwonlyargs)}
    if named != symbols or given.posonlyargs or given.vararg or given.kwarg:
        yield Violation(found[-1].lineno, f"`reference` must take {wanted}, by these names and no others")
