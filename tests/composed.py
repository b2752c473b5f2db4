"""Specs of blocks, and the class of a composed `model.py` in this process; what composes it is the kit's own and trusted."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence

from torch import nn

from agents.autotrain.spec import Evidence, HyperParameter, Mechanism, MethodSpec, Scope


def model_class(code: str) -> type[nn.Module]:
    module = types.ModuleType("composed_model")
    sys.modules["composed_model"] = module
    exec(compile(code, "model.py", "exec"), module.__dict__)
    return module.Model


def spec_of(blocks: Sequence[str | None], hyper: dict[str, object] | None = None, **arguments: object) -> MethodSpec:
    """Mechanisms m1, m2, ... with falling confidence; `arguments` are the first one's."""
    found = tuple(
        Mechanism(
            id=f"m{i}",
            name=(block or "an idea of its own").replace("_", " "),
            block=block,
            basis="stated",
            confidence=0.9 - 0.01 * i,
            evidence=(Evidence(quote="...", section="3 Method"),),
            arguments=arguments if i == 1 else {},
        )
        for i, block in enumerate(blocks, 1)
    )
    stated = tuple(HyperParameter(name=n, value=v, basis="stated") for n, v in (hyper or {}).items())
    scope = Scope(kind="in_scope")
    return MethodSpec(paper_id="p", title="A title", model_name="ABC", scope=scope, mechanisms=found, hyper_parameters=stated)
