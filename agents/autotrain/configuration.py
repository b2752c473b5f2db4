"""The canonical hash of what was tried: equal for what must come out the same, however it was named or laid out.

It covers the data, the model's code without comments, docstrings and layout, the widths and the protocol, and the kit's own code,
since a changed kit may give other results. It does not cover seeds, machine, sandbox or the way of training, which change a
result only within its interval.
"""

from __future__ import annotations

import ast
import hashlib
import json

from agents.autotrain.plan import ExperimentPlan
from sandboxes.jobs import kit_hash

PROTOCOL = ("data_hash", "baselines", "trials", "embedding_dim", "batch_size", "max_epochs", "patience")


def configuration(code: str, plan: ExperimentPlan) -> str:
    """16 hex digits. Raises `SyntaxError` for code that is none."""
    tried = {name: getattr(plan, name) for name in PROTOCOL}
    tried |= {"baselines": sorted(plan.baselines), "seeds": len(plan.seeds), "code": canonical(code), "kit": kit_hash()}
    return hashlib.sha256(json.dumps(tried, sort_keys=True).encode()).hexdigest()[:16]


def canonical(code: str) -> str:
    """The code as its syntax tree says it: no comments, no docstrings, one layout."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
