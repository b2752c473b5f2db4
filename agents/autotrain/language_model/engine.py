"""The language-model engine: asks through the one door, checks what comes back, and hands on only what passes.

It has no tools. What it returns is data: a spec whose quotes were found, code that still has to pass policy and sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.autotrain.engine import Code, Failure, Fidelity, Review
from agents.autotrain.language_model.answers import Unusable, code_in, patched, prose_in
from agents.autotrain.language_model.doubts import SaidAnswers, doubts_of, in_words, settled
from agents.autotrain.language_model.excerpt import paper_as_data
from agents.autotrain.language_model.fence import fenced
from agents.autotrain.language_model.kit_reference import block_list, kit_reference
from agents.autotrain.language_model.prompts import prompt
from agents.autotrain.language_model.reading import SaidMethod, spec_from
from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from agents.errors import ModelAnswerInvalid
from agents.llm import LanguageModel
from sandboxes.kit.card import Card
from sandboxes.kit.schema import Schema

LONGEST_FAILURE = 6000
NOT_FOR_CODE = {"paper_id", "scope", "datasets", "baselines", "claims", "unclear", "read_by"}


class SaidFidelity(BaseModel):
    model_config = ConfigDict(extra="ignore")
    mechanism: str
    status: Literal["implemented", "simplified", "missing"]
    first_line: int | None = None
    last_line: int | None = None
    note: str = Field(default="", max_length=600)


class SaidReview(BaseModel):
    """The form of the answer to `review.md`."""

    model_config = ConfigDict(extra="ignore")
    mechanisms: list[SaidFidelity]
    main_mechanism: str | None = None


class LanguageModelEngine:
    """Reads, writes, repairs and reviews with a language model. Errors: those of `agents.llm`."""

    def __init__(self, door: LanguageModel, cards: Sequence[Card]) -> None:
        self._door, self._cards, self.name = door, cards, door.name

    def parse(self, paper: Paper) -> MethodSpec:
        names = {c.name for c in self._cards}
        system = f"{prompt('read')}\n\n{block_list(self._cards)}"
        said = self._door.ask_for(SaidMethod, "parse", system, paper_as_data(paper, self._door.room(system, SaidMethod)))
        if doubts := doubts_of(said, paper, names):
            questions = fenced("questions", in_words(doubts))
            system = f"{prompt('ask')}\n\n## The kit's blocks\n\n{block_list(self._cards)}"
            room = self._door.room(system, SaidAnswers) - len(questions)
            answers = self._door.ask_for(SaidAnswers, "ask", system, f"{paper_as_data(paper, room)}\n\n{questions}")
            said = settled(said, doubts, answers)
        return spec_from(said, paper, names, self.name)

    def write(self, spec: MethodSpec, schema: Schema) -> Code:
        answer, text = self._ask("write", schema, f"{_spec(spec)}\n\n{_schema(schema)}", code_in)
        prose = prose_in(answer)
        return Code(_ended(text), composed=False, notes=(prose[:600],) if prose else ())

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        fault = fenced("failure", failure.message[-LONGEST_FAILURE:])
        user = f"{_spec(spec)}\n\n{_schema(schema)}\n\n{_file(code.text)}\n\nFailed at {failure.stage}:\n{fault}"
        try:
            _, text = self._ask("repair", schema, user, lambda answer: patched(code.text, answer))
        except ModelAnswerInvalid:
            return None
        return None if text == code.text else Code(_ended(text), composed=False, notes=code.notes)

    def review(self, spec: MethodSpec, code: Code) -> Review:
        lines = code.text.splitlines()
        numbered = "\n".join(f"{i:4d} {line}" for i, line in enumerate(lines, 1))
        said = self._door.ask_for(SaidReview, "review", prompt("review"), f"{_spec(spec)}\n\n{_file(numbered)}")
        by_id = {row.mechanism: row for row in said.mechanisms}
        rows = tuple(_fidelity(m.id, by_id.get(m.id), len(lines)) for m in spec.mechanisms)
        present = {r.mechanism for r in rows if r.status != "missing"}
        return Review(rows, said.main_mechanism if said.main_mechanism in present else None)

    def ablate(self, spec: MethodSpec, schema: Schema, code: Code, mechanism: str) -> Code | None:
        user = f"{_spec(spec)}\n\n{_schema(schema)}\n\n{_file(code.text)}\n\nTake out: {mechanism}"
        _, text = self._ask("ablate", schema, user, lambda a: "" if a.strip() == "NONE" else code_in(a))
        return Code(_ended(text), composed=False) if text else None

    def _ask(self, step: str, schema: Schema, user: str, take: Callable[[str], str]) -> tuple[str, str]:
        """The answer and what `take` makes of it; asked once more, with the fault named, when it makes nothing of it."""
        known = prompt(step, "contract", f"predicts_{schema.predicts}", "kit")
        reference = kit_reference(self._cards, user, self._door.room(known) - len(user))
        system, asked, fault = f"{known}\n\n{reference}", user, ""
        for _ in range(2):
            answer = self._door.ask(step, system, asked)
            try:
                return answer, take(answer)
            except Unusable as error:
                fault = str(error)
                asked = f"{user}\n\nAn earlier answer could not be used: {fault}. Answer in the form that was asked for."
        raise ModelAnswerInvalid(f"{self.name} twice answered the step {step} in a form that cannot be used: {fault}")


def _fidelity(mechanism: str, said: SaidFidelity | None, n_lines: int) -> Fidelity:
    """The reviewer's row, believed only as far as it points at lines that exist."""
    if said is None:
        return Fidelity(mechanism, "missing", None, "the reviewer did not speak of it")
    first, last = said.first_line, said.last_line
    if said.status == "missing":
        return Fidelity(mechanism, "missing", None, said.note)
    if first is None or last is None or not 1 <= first <= last <= n_lines:
        return Fidelity(mechanism, "missing", None, f"the reviewer named no lines of the file for it: {said.note}")
    return Fidelity(mechanism, said.status, (first, last), said.note)


def _spec(spec: MethodSpec) -> str:
    return fenced("specification", spec.model_dump_json(indent=1, exclude=NOT_FOR_CODE))


def _schema(schema: Schema) -> str:
    """What the model may know of the data: kinds and counts, not names of values."""
    sequences = [asdict(s) for s in schema.sequences]
    tasks = [asdict(t) for t in schema.tasks]
    return (
        f"The data at hand: {len(schema.categorical)} categorical fields, {len(schema.numeric)} numeric fields, "
        f"{len(schema.vectors)} fields of vectors made elsewhere, sequences "
        f"{sequences}, tasks {tasks}, scenario field {schema.scenario}, target item field {schema.target_item}. "
        "The file must also build from other schemas that predict the same."
    )


def _file(text: str) -> str:
    return fenced("file", text)


def _ended(text: str) -> str:
    return text.rstrip() + "\n"
