"""What is missing from a first reading or contradicts itself, as questions; and the reading after their answers.

Only what can be checked against the paper is doubted: quotes that stand nowhere in it, values given twice, blocks that do not
exist, equations whose symbols nobody explains, descriptions that a writer who never sees the paper could not work from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from agents.autotrain.language_model.reading import Answer, SaidMethod, SaidSymbol
from agents.autotrain.paper import Paper
from agents.autotrain.reading import find_quote

MOST = 12  # questions at once
TOO_SHORT = 40  # characters of a description that says nothing


class SaidAnswer(Answer):
    question: int
    quote: str = Field(default="", max_length=2000)
    description: str = Field(default="", max_length=2000)
    block: str | None = None
    value: int | float | str | list[int] | None = None
    symbols: list[SaidSymbol] = Field(default_factory=list)


class SaidAnswers(Answer):
    """The form of the answer to `ask.md`."""

    answers: list[SaidAnswer] = Field(default_factory=list)


@dataclass(frozen=True)
class Doubt:
    """A question about `part` of the reading's item `index` in the list `of`."""

    of: Literal["mechanisms", "hyper_parameters", "claims"]
    index: int
    part: Literal["quote", "description", "block", "value", "symbols"]
    question: str


def doubts_of(said: SaidMethod, paper: Paper, blocks: Collection[str]) -> list[Doubt]:
    """The questions that a reading leaves, the main novelty's first; none for papers out of scope."""
    return list(_doubts(said, paper, blocks))[:MOST] if said.scope == "in_scope" else []


def in_words(doubts: Sequence[Doubt]) -> str:
    return "\n".join(f"{n}. {d.question}" for n, d in enumerate(doubts, 1))


def settled(said: SaidMethod, doubts: Sequence[Doubt], answers: SaidAnswers) -> SaidMethod:
    """The reading with what the answers say in place of what was doubted; an unanswered doubt changes nothing."""
    settled = said.model_copy(deep=True)
    by_number = {a.question: a for a in answers.answers}
    for number, doubt in enumerate(doubts, 1):
        answer = by_number.get(number)
        if answer and (told := getattr(answer, doubt.part)):
            setattr(getattr(settled, doubt.of)[doubt.index], doubt.part, told)
    return settled


def _doubts(said: SaidMethod, paper: Paper, blocks: Collection[str]) -> Iterator[Doubt]:
    for i, m in enumerate(said.mechanisms):
        if m.quote and not _stands(m.quote, paper):
            yield Doubt("mechanisms", i, "quote", f"The quote for the mechanism “{m.name}” {_NOWHERE}")
        if m.block and m.block not in blocks:
            yield Doubt(
                "mechanisms", i, "block", f"The kit has no block `{m.block}` for “{m.name}”: which does it exactly, if any?"
            )
        if not m.block and len(m.description) < TOO_SHORT:
            yield Doubt("mechanisms", i, "description", f"How is “{m.name}” computed, for one who will not see the paper?")
        if m.equations and not m.symbols and not m.block:
            yield Doubt(
                "mechanisms", i, "symbols", f"What does each symbol in the equations of “{m.name}” mean, and of what shape is it?"
            )
    values: dict[str, int] = {}
    for i, h in enumerate(said.hyper_parameters):
        first = values.setdefault(h.name, i)
        if said.hyper_parameters[first].value != h.value:
            said_twice = f"{said.hyper_parameters[first].value} and {h.value}"
            yield Doubt(
                "hyper_parameters", first, "value", f"`{h.name}` was given as {said_twice}: which is the paper's main setting?"
            )
        elif not _stands(h.quote, paper):
            yield Doubt("hyper_parameters", i, "quote", f"The quote for `{h.name}` = {h.value} {_NOWHERE}")
    for i, c in enumerate(said.claims):
        if not _stands(c.quote, paper):
            yield Doubt("claims", i, "quote", f"The quote for {c.metric} = {c.value:g} on {c.dataset} {_NOWHERE}")


_NOWHERE = "stands nowhere in the paper: copy the passage that states it letter by letter, or leave the quote empty."


def _stands(quote: str, paper: Paper) -> bool:
    return bool(quote) and find_quote(paper, quote) is not None
