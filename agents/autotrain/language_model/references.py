"""Naive references of a paper's equations, as a language model writes them from the spec alone, and their binding to a layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from agents.autotrain.engine import NumericCheck
from agents.autotrain.fidelity import Leaf
from agents.autotrain.language_model.reading import Answer
from sandboxes.equations import EquationProbe
from sandboxes.kit.probe import Input, Probe

Kind = Literal["normal", "uniform", "mask", "ids"]


class SaidSymbolShape(Answer):
    name: str = Field(max_length=60)
    shape: str = Field(default="", max_length=100)
    kind: Kind = "normal"


class SaidReference(Answer):
    leaves: list[str] = Field(min_length=1, max_length=20)
    inputs: list[SaidSymbolShape] = Field(default_factory=list)
    parameters: list[SaidSymbolShape] = Field(default_factory=list)
    output: str = Field(default="", max_length=200)
    code: str = Field(max_length=8000)


class SaidReferences(Answer):
    """The form of the answer to `reference.md`."""

    references: list[SaidReference] = Field(default_factory=list)


class SaidInput(Answer):
    name: str
    shape: list[int]
    kind: Kind = "normal"
    high: int = 0


class SaidProbe(Answer):
    """How the reviewer binds a reference to a layer of the file."""

    reference: int
    layer: str
    arguments: dict[str, int | float | bool | str | list[int]] = Field(default_factory=dict)
    inputs: list[SaidInput] = Field(default_factory=list)
    parameters: dict[str, str] = Field(default_factory=dict)
    method: str = "forward"
    output: int | None = None


@dataclass(frozen=True)
class References:
    """Those references that compute equations of the rubric, numbered from 1 for the reviewer."""

    said: tuple[SaidReference, ...] = ()

    @classmethod
    def of(cls, said: SaidReferences, leaves: Sequence[Leaf]) -> References:
        equations = {leaf.id for leaf in leaves if leaf.kind == "equation"}
        return cls(tuple(r for r in said.references if set(r.leaves) <= equations))

    def in_words(self) -> str:
        """What a reviewer is told: what each takes and gives, not how it computes it."""
        return "\n".join(map(_signature, range(1, len(self.said) + 1), self.said))

    def checks(self, probes: Sequence[SaidProbe]) -> Iterator[NumericCheck]:
        """One for each probe that can be asked, at most one a reference."""
        bound = {p.reference: p for p in probes if 1 <= p.reference <= len(self.said)}
        for number, said in sorted(bound.items()):
            reference = self.said[number - 1]
            try:
                yield NumericCheck(tuple(reference.leaves), EquationProbe(f"r{number}", _probe(said), reference.code))
            except ValueError:  # what cannot be drawn or named is not asked
                continue


def _signature(number: int, reference: SaidReference) -> str:
    inputs = ", ".join(f"{i.name} {i.shape} {i.kind}" for i in reference.inputs)
    parameters = ", ".join(f"{p.name} {p.shape}" for p in reference.parameters)
    return (
        f"{number}. {', '.join(reference.leaves)}: inputs {inputs}; parameters {parameters or 'none'}; gives {reference.output}"
    )


def _probe(said: SaidProbe) -> Probe:
    inputs = tuple(Input(i.name, tuple(i.shape), i.kind, i.high) for i in said.inputs)
    return Probe(said.layer, said.arguments, inputs, said.parameters, said.method, said.output)
