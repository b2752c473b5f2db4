"""The code policy: what a generated model.py may contain, decided from its syntax tree before anything runs.

A fence with good messages: it catches slips and plain tricks, so that they can be repaired. It is not the wall; the sandbox is.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from sandboxes.policy_rules import (
    ALLOWED_DUNDERS,
    ALLOWED_MODULES,
    FORBIDDEN_ATTRIBUTES,
    FORBIDDEN_NAMES,
    FORBIDDEN_TORCH,
    MOST_BYTES,
    MOST_DEPTH,
    TORCH_MODULES,
)


@dataclass(frozen=True, order=True)
class Violation:
    """A line of the source (from 1) and one sentence: what is wrong and what to do instead."""

    line: int
    message: str


def violations(source: str) -> tuple[Violation, ...]:
    """Everything in `source` that the policy does not allow, by line; () when it may be run in a sandbox."""
    tree = parsed(source)
    if isinstance(tree, Violation):
        return (tree,)
    found = faults(tree)
    if not any(isinstance(node, ast.ClassDef) and node.name == "Model" for node in tree.body):
        found.add(Violation(1, "there is no class Model; define `class Model(nn.Module)` at the top level"))
    return tuple(sorted(found))


def parsed(source: str) -> ast.Module | Violation:
    """The syntax tree, or why there is none to look at."""
    if len(source.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return Violation(1, f"the file is larger than {MOST_BYTES // 1024} KiB; write a shorter model")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a docstring is no matter of the policy
            tree = ast.parse(source)
    except SyntaxError as error:
        return Violation(error.lineno or 1, f"this is not valid Python: {error.msg}")
    except (ValueError, RecursionError, MemoryError):
        return Violation(1, "this is not valid Python: it cannot be parsed; write plain, shallow code")
    if _depth(tree) > MOST_DEPTH:
        return Violation(1, f"expressions or blocks are nested deeper than {MOST_DEPTH}; split them")
    return tree


def faults(tree: ast.Module) -> set[Violation]:
    """What no generated file may contain, whatever it is to define."""
    aliases = _aliases(tree)
    return {v for node in ast.walk(tree) for v in _of_node(node, aliases)} | set(_of_bare_modules(tree, aliases))


def _of_node(node: ast.AST, aliases: dict[str, str]) -> Iterator[Violation]:
    if isinstance(node, ast.Import):
        for name in node.names:
            yield from _of_import(node.lineno, name.name, binds_package=name.asname is None)
    elif isinstance(node, ast.ImportFrom):
        yield from _of_import_from(node)
    elif isinstance(node, ast.Name):
        yield from _of_name(node)
    elif isinstance(node, ast.Attribute):
        yield from _of_attribute(node, aliases)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and _dunder(node.name):
        yield from _of_defined_dunder(node)
    elif isinstance(node, ast.MatchClass):
        for attribute in node.kwd_attrs:
            if _dunder(attribute) or attribute in FORBIDDEN_ATTRIBUTES:
                yield Violation(node.lineno, f"a pattern may not look at `{attribute}`; match plain values")
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)
    elif isinstance(node, ast.Global | ast.Nonlocal) and any(_dunder(name) for name in node.names):
        yield Violation(node.lineno, "names with double underscores may not be rebound; use names of your own")


def _of_import(line: int, module: str, binds_package: bool) -> Iterator[Violation]:
    if module in ALLOWED_MODULES or module in TORCH_MODULES:
        return
    if module.startswith("torch."):
        yield Violation(line, f"`{module}` is not allowed; of torch use {', '.join(sorted(TORCH_MODULES))}")
    else:
        yield Violation(line, f"`{module}` is not allowed; import only {', '.join(sorted(ALLOWED_MODULES))} and torch")


def _of_import_from(node: ast.ImportFrom) -> Iterator[Violation]:
    module = node.module or ""
    if node.level:
        yield Violation(node.lineno, "relative imports are not allowed; a model is one file that imports the kit by name")
        return
    yield from _of_import(node.lineno, module, binds_package=False)
    for name in node.names:
        whole = f"{module}.{name.name}"
        if name.name == "*":
            yield Violation(node.lineno, f"`from {module} import *` hides what is used; import names one by one")
        elif _dunder(name.name) or name.name in FORBIDDEN_ATTRIBUTES:
            yield Violation(node.lineno, f"`{name.name}` may not be imported; {_instead(name.name)}")
        elif name.name in _MODULES_INSIDE and whole not in ALLOWED_MODULES:
            yield Violation(node.lineno, f"`{whole}` reaches a module through another; import only what the policy allows")
        elif _in_torch(module) and (fault := _torch_fault(whole)):
            yield Violation(node.lineno, fault)


def _of_name(node: ast.Name) -> Iterator[Violation]:
    if node.id in FORBIDDEN_NAMES:
        yield Violation(node.lineno, f"`{node.id}` is not allowed; {FORBIDDEN_NAMES[node.id]}")
    elif _dunder(node.id) and node.id not in ALLOWED_DUNDERS:
        yield Violation(node.lineno, f"`{node.id}` is not allowed; a model needs no interpreter internals")


def _of_attribute(node: ast.Attribute, aliases: dict[str, str]) -> Iterator[Violation]:
    name = node.attr
    if _dunder(name):
        if name not in ALLOWED_DUNDERS:
            yield Violation(node.lineno, f"`.{name}` is not allowed; a model needs no interpreter internals")
        elif name == "__init__" and not _is_super(node.value):
            yield Violation(node.lineno, "`.__init__` may only be called as `super().__init__(...)`")
        return
    if name in FORBIDDEN_ATTRIBUTES:
        yield Violation(node.lineno, f"`.{name}` is not allowed; {_instead(name)}")
        return
    path = _dotted(node, aliases)
    if path and not isinstance(node.ctx, ast.Load):
        yield Violation(node.lineno, f"`{path}` is not this file's to change; derive a class or write a function of your own")
    if path and _in_torch(path) and (fault := _torch_fault(path)):
        yield Violation(node.lineno, fault)
    elif path and name in _MODULES_INSIDE and path not in ALLOWED_MODULES:
        yield Violation(node.lineno, f"`{path}` reaches a module through another; import only what the policy allows")


def _of_bare_modules(tree: ast.Module, aliases: dict[str, str]) -> Iterator[Violation]:
    """A module as a value could be carried past every rule on dotted names: `[torch][0].load`."""
    bases = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and id(node) not in bases:
            path = _dotted(node, aliases)
            if path in ALLOWED_MODULES or path in TORCH_MODULES:
                yield Violation(
                    node.lineno, f"the module `{path}` may only be used as `{path}.name`; import it under the name you want"
                )


def _of_defined_dunder(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[Violation]:
    if node.name not in ALLOWED_DUNDERS:
        yield Violation(node.lineno, f"defining `{node.name}` is not allowed; write __init__, forward and plain methods")


def _of_constant(node: ast.Constant) -> Iterator[Violation]:
    """Format strings reach attributes too ("{0.__class__}"), and so do names handed to getattr-like calls."""
    if isinstance(node.value, str) and "__" in node.value and any(mark in node.value for mark in _TELLTALES):
        yield Violation(node.lineno, "this text names interpreter internals; leave them out, also of comments for people")


def _torch_fault(path: str) -> str:
    """Why a dotted name under torch is not allowed, or ""."""
    parts = path.split(".")
    for end in range(2, len(parts) + 1):
        reason = FORBIDDEN_TORCH.get(".".join(parts[1:end]))
        if reason:
            return f"`{'.'.join(parts[:end])}` is not allowed; {reason}"
    if any(part.startswith("_") for part in parts[1:]):
        return f"`{path}` is private to torch; use its public functions"
    return ""


def _aliases(tree: ast.Module) -> dict[str, str]:
    """What names stand for modules, by imports and plain assignments ("t = torch"), wherever they are."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                names[name.asname or name.name.partition(".")[0]] = name.name if name.asname else name.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                names[name.asname or name.name] = f"{node.module}.{name.name}"
    for _ in range(MOST_DEPTH):  # assignments of assignments
        before = len(names)
        for node in ast.walk(tree):
            for target, value in _bindings(node):
                path = _dotted(value, names)
                if path and path.partition(".")[0] in ("torch", *_PLAIN_PACKAGES):
                    names.setdefault(target, path)
        if len(names) == before:
            break
    return names


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Plain names and what they are bound to: assignments, walrus, default arguments, loops over a literal."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _paired(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield from _paired(node.target, node.value)
    elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Tuple | ast.List | ast.Set):
        for element in node.iter.elts:
            yield from _paired(node.target, element)
    elif isinstance(node, ast.arguments):
        named = [*node.posonlyargs, *node.args]
        for argument, default in zip(reversed(named), reversed(node.defaults), strict=False):
            yield argument.arg, default
        for argument, given in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            if given is not None:
                yield argument.arg, given


def _paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _paired(one, other)


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """`torch.nn.functional` of an attribute chain that begins at a module's name, else ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join([aliases[node.id], *reversed(parts)])


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _in_torch(path: str) -> bool:
    return path == "torch" or path.startswith("torch.")


def _instead(name: str) -> str:
    return FORBIDDEN_ATTRIBUTES.get(name, "a model needs no interpreter internals")


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def _depth(tree: ast.AST) -> int:
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest


_PLAIN_PACKAGES = ("math", "typing", "dataclasses", "collections", "sandboxes")
_MODULES_INSIDE = frozenset(
    (
        *("abc", "builtins", "collections", "contextlib", "copy", "dataclasses", "functools", "inspect", "itertools", "jobs"),
        *("keyword", "math", "np", "operator", "os", "re", "stdlib_re", "sys", "torch", "types", "typing", "warnings"),
    )
)
_TELLTALES = (
    "__class__", "__bases__", "__mro__", "__subclasses__", "__globals__", "__builtins__", "__import__", "__dict__", "__code__",
    "__getattribute__", "__reduce", "__loader__", "__spec__", "__closure__", "__func__", "__self__", "__init_subclass__",
)  # fmt: skip
