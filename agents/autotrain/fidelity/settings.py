"""Whether hyper-parameters are as the paper states them: seen in the plan and in the code, not asked of a reviewer."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from agents.autotrain.engine import Judged
from agents.autotrain.fidelity.rubric import stated
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.spec import HyperParameter, MethodSpec

TUNED = "tuned on valid, for all models alike"
SEARCHED = ("learning_rate", "dropout")  # of those that a paper may state (see `agents.autotrain.experiment`)


def as_run(spec: MethodSpec, plan: ExperimentPlan, code: str) -> Iterator[Judged]:
    """A judgement for each stated hyper-parameter that the plan or a default of the code's `Model` decides."""
    planned = {"embedding_dim": plan.embedding_dim, "batch_size": plan.batch_size}
    defaults = _defaults(code)
    for leaf, h in stated(spec):
        if found := _judged(leaf, h, planned, defaults):
            yield found


def _judged(
    leaf: str, h: HyperParameter, planned: Mapping[str, int], defaults: Mapping[str, tuple[object, int]]
) -> Judged | None:
    if h.name in planned:
        used = planned[h.name]
        return Judged(leaf, "met") if used == h.value else Judged(leaf, "missing", None, f"{used} here, for all models alike")
    if h.name in SEARCHED:
        return Judged(leaf, "partly", None, TUNED)
    if h.name not in defaults:
        return None
    default, line = defaults[h.name]
    alike = _plain(default) == _plain(h.value)
    return Judged(leaf, "met" if alike else "missing", (line, line), "" if alike else f"{default!r} in the code")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _defaults(code: str) -> dict[str, tuple[object, int]]:
    """Literal defaults of the constructor of the class `Model`, each with its line."""
    found: dict[str, tuple[object, int]] = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.ClassDef) and node.name == "Model":
            for function in node.body:
                if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                    found |= dict(_literals(function.args))
    return found


def _literals(arguments: ast.arguments) -> Iterator[tuple[str, tuple[object, int]]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    named = [*zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True)]
    named += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    for argument, default in named:
        try:
            yield argument.arg, (ast.literal_eval(default), default.lineno)
        except ValueError:  # no literal
            continue
