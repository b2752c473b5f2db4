"""The engine protocol: the mind that reads, writes, repairs and reviews. Two implementations stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from sandboxes.equations import EquationProbe
from sandboxes.kit.schema import Schema

Rung = Literal["policy", "smoke", "sample", "train"]  # what a candidate must pass, in this order
Judgement = Literal["met", "partly", "missing"]


@dataclass(frozen=True)
class Code:
    """A candidate's `model.py`. `composed` is True only when it holds nothing but the kit's own blocks."""

    text: str
    composed: bool
    notes: tuple[str, ...] = ()  # what was simplified or left out, and why


@dataclass(frozen=True)
class Failure:
    """Why a candidate is not good enough yet, as text for the engine: policy violations, failed smoke tests, a traceback, or
    what of the spec it lacks."""

    stage: Rung | Literal["fidelity"]
    message: str


@dataclass(frozen=True)
class Tried:
    """A model written before for this method or for one like it, and what came of it in one sentence."""

    text: str
    outcome: str


@dataclass(frozen=True)
class Judged:
    """How one leaf of the rubric stands in the code (see `agents.autotrain.fidelity`). `lines` are 1-based, inclusive."""

    leaf: str  # Leaf.id
    judgement: Judgement
    lines: tuple[int, int] | None = None
    note: str = ""


@dataclass(frozen=True)
class NumericCheck:
    """A layer of the code beside a naive reference: what comes of it decides these leaves, and no opinion does."""

    leaves: tuple[str, ...]
    equation: EquationProbe


@dataclass(frozen=True)
class Review:
    """Leaves that the engine cannot judge are left out."""

    judged: tuple[Judged, ...] = field(default=())
    main_mechanism: str | None = None  # the id to ablate when the budget allows
    checks: tuple[NumericCheck, ...] = ()


class Engine(Protocol):
    """Reads a paper into a spec and turns a spec into code. Errors derive from `agents.errors.AgentError`."""

    name: str  # "builtin" or provider:model

    def parse(self, paper: Paper) -> MethodSpec: ...

    def write(self, spec: MethodSpec, schema: Schema, before: Sequence[Tried] = (), lessons: Sequence[str] = ()) -> Code:
        """A candidate; where drafts of this method stand in `before`, another one, if this engine has another. `lessons` are
        what memory believes of methods like it, a sentence each."""
        ...

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        """A changed candidate, or None when this engine has nothing more to offer."""
        ...

    def review(self, spec: MethodSpec, code: Code) -> Review: ...

    def ablate(self, spec: MethodSpec, schema: Schema, code: Code, mechanism: str) -> Code | None:
        """The model of `code` without one mechanism, or None when nothing sensible remains."""
        ...
