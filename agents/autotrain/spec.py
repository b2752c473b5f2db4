"""What a paper proposes, as data: the `MethodSpec` that reading produces and writing consumes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agents.strict import Strict

Basis = Literal["stated", "inferred", "default"]  # in the paper's words; concluded from them; neither


class Evidence(Strict):
    """A passage of the paper. `start` and `end` are offsets into `Paper.text`, -1 when the quote was not found."""

    quote: str
    section: str = ""
    start: int = -1
    end: int = -1


class Symbol(Strict):
    """A symbol of a mechanism's equations: what it stands for, and its shape in the kit's letters, such as (B, F, D)."""

    symbol: str
    meaning: str
    shape: str = ""


class Mechanism(Strict):
    """One idea of the method. `block` names the kit's card that implements it, None when no block does."""

    id: str  # "m1", "m2", ...; comments in model.py refer to it
    name: str  # in the field's words
    block: str | None
    basis: Basis
    confidence: float = Field(ge=0, le=1)
    evidence: tuple[Evidence, ...] = ()
    arguments: dict[str, int | float | bool | str | list[int]] = Field(default_factory=dict)
    equations: tuple[str, ...] = ()  # as written in the paper
    symbols: tuple[Symbol, ...] = ()  # of the equations
    description: str = ""


class HyperParameter(Strict):
    name: str  # the kit's name: embedding_dim, learning_rate, dropout, hidden_units, batch_size, ...
    value: int | float | str | list[int]
    basis: Basis
    evidence: Evidence | None = None


class Claim(Strict):
    """A result the paper reports: `metric` of the method (and of a baseline, if named) on `dataset`."""

    dataset: str
    metric: str
    value: float
    baseline: str = ""
    baseline_value: float | None = None
    evidence: Evidence | None = None


class Named(Strict):
    """A data set, baseline or loss that the paper names."""

    name: str
    basis: Basis = "stated"
    evidence: Evidence | None = None


TaskKind = Literal["ctr", "multi_task", "entire_space", "multi_scenario", "sequence", "knowledge_tracing", "items", "actions"]

ScopeKind = Literal["in_scope", "survey", "benchmark", "system", "analysis", "other_field", "unsupported_task", "no_mechanism"]


class Scope(Strict):
    """Whether the platform can reproduce the paper, and if not, why, in one sentence for a person."""

    kind: ScopeKind
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def inside(self) -> bool:
        return self.kind == "in_scope"


class MethodSpec(Strict):
    """A paper's method. `unclear` holds passages that propose something no mechanism above covers."""

    paper_id: str
    title: str
    model_name: str  # the paper's own name for its model; "" when it gives none
    scope: Scope
    task: TaskKind = "ctr"
    mechanisms: tuple[Mechanism, ...] = ()
    losses: tuple[Named, ...] = ()
    scheme: tuple[Named, ...] = ()  # training stages in order
    hyper_parameters: tuple[HyperParameter, ...] = ()
    datasets: tuple[Named, ...] = ()
    baselines: tuple[Named, ...] = ()
    claims: tuple[Claim, ...] = ()
    unclear: tuple[Evidence, ...] = ()
    read_by: str = "builtin"  # which mind read it: "builtin" or provider:model
