"""The engine protocol: the mind that reads, writes, repairs and reviews. Two implementations stand behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from sandboxes.kit.schema import Schema


@dataclass(frozen=True)
class Code:
    """A candidate's `model.py`. `composed` is True only when it holds nothing but the kit's own blocks."""

    text: str
    composed: bool
    notes: tuple[str, ...] = ()  # what was simplified or left out, and why


@dataclass(frozen=True)
class Failure:
    """Why a candidate may not train yet: policy violations, failed smoke tests or a traceback, as text for the engine."""

    stage: Literal["policy", "smoke", "train"]
    message: str


@dataclass(frozen=True)
class Fidelity:
    """How one mechanism of the spec stands in the code. `lines` are 1-based, inclusive."""

    mechanism: str  # Mechanism.id
    status: Literal["implemented", "simplified", "missing"]
    lines: tuple[int, int] | None = None
    note: str = ""


@dataclass(frozen=True)
class Review:
    rows: tuple[Fidelity, ...] = field(default=())
    main_mechanism: str | None = None  # the id to ablate when the budget allows


class Engine(Protocol):
    """Reads a paper into a spec and turns a spec into code. Errors derive from `agents.errors.AgentError`."""

    name: str  # "builtin" or provider:model

    def parse(self, paper: Paper) -> MethodSpec: ...

    def write(self, spec: MethodSpec, schema: Schema) -> Code: ...

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        """A changed candidate, or None when this engine has nothing more to offer."""
        ...

    def review(self, spec: MethodSpec, code: Code) -> Review: ...

    def ablate(self, spec: MethodSpec, schema: Schema, code: Code, mechanism: str) -> Code | None:
        """The model of `code` without one mechanism, or None when nothing sensible remains."""
        ...
