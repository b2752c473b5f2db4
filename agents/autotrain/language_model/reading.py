"""Turns a language model's account of a paper into a `MethodSpec` that the paper itself bears out.

A quote that is not found in the paper makes its item `inferred`, whatever the model says; an unknown block becomes None.
"""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, Field

from agents.autotrain.paper import Paper
from agents.autotrain.reading.quotes import evidence
from agents.autotrain.spec import (
    Claim,
    Evidence,
    HyperParameter,
    Mechanism,
    MethodSpec,
    Named,
    Scope,
    ScopeKind,
    Symbol,
    TaskKind,
)

SURE, INFERRED = 0.9, 0.5  # confidence of what a found quote states, and of what none does


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SaidSymbol(Answer):
    symbol: str = Field(max_length=60)
    meaning: str = Field(max_length=300)
    shape: str = Field(default="", max_length=60)


class SaidMechanism(Answer):
    name: str = Field(max_length=200)
    block: str | None = None
    quote: str = Field(default="", max_length=2000)
    arguments: dict[str, int | float | bool | str | list[int]] = {}
    equations: list[str] = []
    symbols: list[SaidSymbol] = []
    description: str = Field(default="", max_length=2000)


class SaidValue(Answer):
    name: str = Field(max_length=100)
    value: int | float | str | list[int]
    quote: str = Field(default="", max_length=2000)


class SaidName(Answer):
    name: str = Field(max_length=200)
    quote: str = Field(default="", max_length=2000)


class SaidClaim(Answer):
    dataset: str
    metric: str
    value: float
    baseline: str = ""
    baseline_value: float | None = None
    quote: str = Field(default="", max_length=2000)


class SaidMethod(Answer):
    """The form of the answer to `read.md`."""

    model_name: str = Field(default="", max_length=100)
    scope: ScopeKind
    scope_reason: str = Field(default="", max_length=500)
    task: TaskKind = "ctr"
    mechanisms: list[SaidMechanism] = []
    losses: list[SaidName] = []
    scheme: list[SaidName] = []
    hyper_parameters: list[SaidValue] = []
    datasets: list[SaidName] = []
    baselines: list[SaidName] = []
    claims: list[SaidClaim] = []
    unclear: list[str] = []


def spec_from(said: SaidMethod, paper: Paper, blocks: Collection[str], read_by: str) -> MethodSpec:
    """The spec, with every quote looked up in the paper."""
    scope = Scope(kind=said.scope, reason=_one_line(said.scope_reason))
    mechanisms = tuple(_mechanism(f"m{i}", m, paper, blocks) for i, m in enumerate(said.mechanisms, 1))
    if scope.inside and not mechanisms:
        scope = Scope(kind="no_mechanism", reason="the reading named no mechanism that code could contain")
    return MethodSpec(
        paper_id=paper.id,
        title=paper.title,
        model_name=_one_line(said.model_name),
        scope=scope,
        task=said.task,
        mechanisms=mechanisms,
        losses=tuple(_named(n, paper) for n in said.losses),
        scheme=tuple(_named(n, paper) for n in said.scheme),
        hyper_parameters=tuple({v.name: _value(v, paper) for v in reversed(said.hyper_parameters)}.values())[::-1],
        datasets=tuple(_named(n, paper) for n in said.datasets),
        baselines=tuple(_named(n, paper) for n in said.baselines),
        claims=tuple(Claim(**c.model_dump(exclude={"quote"}), evidence=_evidence(c.quote, paper)) for c in said.claims),
        unclear=tuple(e for quote in said.unclear if (e := _evidence(quote, paper))),
        read_by=read_by,
    )


def _mechanism(name: str, said: SaidMechanism, paper: Paper, blocks: Collection[str]) -> Mechanism:
    stated = _evidence(said.quote, paper)
    return Mechanism(
        id=name,
        name=_one_line(said.name),
        block=said.block if said.block in blocks else None,
        basis="stated" if stated else "inferred",
        confidence=SURE if stated else INFERRED,
        evidence=(stated,) if stated else (),
        arguments=said.arguments,
        equations=tuple(said.equations),
        symbols=tuple(Symbol(**s.model_dump()) for s in said.symbols),
        description=said.description,
    )


def _value(said: SaidValue, paper: Paper) -> HyperParameter:
    stated = _evidence(said.quote, paper)
    return HyperParameter(name=said.name, value=said.value, basis="stated" if stated else "inferred", evidence=stated)


def _named(said: SaidName, paper: Paper) -> Named:
    stated = _evidence(said.quote, paper)
    return Named(name=_one_line(said.name), basis="stated" if stated else "inferred", evidence=stated)


def _evidence(quote: str, paper: Paper) -> Evidence | None:
    found = evidence(paper, quote)
    return found if found.start >= 0 else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
