"""The language-model engine: asks through the one door, checks what comes back, and hands on only what passes.

It has no tools. What it returns is data: a spec whose quotes were found, code that still has to pass policy and sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, Field

from agents.autotrain.engine import Code, Failure, Judged, Judgement, Review, Tried
from agents.autotrain.fidelity import Leaf, rubric
from agents.autotrain.language_model.answers import Unusable, code_in, patched, prose_in
from agents.autotrain.language_model.doubts import SaidAnswers, doubts_of, in_words, settled
from agents.autotrain.language_model.excerpt import paper_as_data
from agents.autotrain.language_model.kit_reference import block_list, blocks_in, kit_reference
from agents.autotrain.language_model.prompts import prompt
from agents.autotrain.language_model.reading import SaidMethod, spec_from
from agents.autotrain.language_model.references import References, SaidProbe, SaidReferences
from agents.autotrain.paper import Paper
from agents.autotrain.spec import MethodSpec
from agents.errors import ModelAnswerInvalid
from agents.llm import LanguageModel
from agents.llm.fence import fenced
from sandboxes.kit.card import Card
from sandboxes.kit.schema import Schema

LONGEST_FAILURE = 6000
NOT_FOR_CODE = {"paper_id", "scope", "datasets", "baselines", "claims", "unclear", "read_by"}


class SaidLeaf(BaseModel):
    model_config = ConfigDict(extra="ignore")
    leaf: str
    judgement: Judgement
    first_line: int | None = None
    last_line: int | None = None
    note: str = Field(default="", max_length=600)


class SaidReview(BaseModel):
    """The form of the answer to `review.md`."""

    model_config = ConfigDict(extra="ignore")
    leaves: list[SaidLeaf]
    main_mechanism: str | None = None
    probes: list[SaidProbe] = Field(default_factory=list)


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

    def write(self, spec: MethodSpec, schema: Schema, before: Sequence[Tried] = (), lessons: Sequence[str] = ()) -> Code:
        known = [fenced("lessons", "\n".join(lessons))] if lessons else []
        user = "\n\n".join([_spec(spec), _schema(schema), *map(_tried, before), *known])
        answer, text = self._ask("write", self._told("write", spec, schema, user), user, code_in)
        prose = prose_in(answer)
        return Code(_ended(text), composed=False, notes=(prose[:600],) if prose else ())

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        fault = fenced("failure", failure.message[-LONGEST_FAILURE:])
        user = f"{_spec(spec)}\n\n{_schema(schema)}\n\n{_file(code.text)}\n\nFailed at {failure.stage}:\n{fault}"
        try:
            known = self._told("repair", spec, schema, user)
            _, text = self._ask("repair", known, user, lambda answer: patched(code.text, answer))
        except ModelAnswerInvalid:
            return None
        return None if text == code.text else Code(_ended(text), composed=False, notes=code.notes)

    def review(self, spec: MethodSpec, code: Code) -> Review:
        lines, leaves = code.text.splitlines(), rubric(spec)
        numbered = "\n".join(f"{i:4d} {line}" for i, line in enumerate(lines, 1))
        references = self._references(spec, leaves)
        user = f"{_spec(spec)}\n\n{_rubric(leaves, references)}\n\n{_file(numbered)}"
        system = prompt("review", *(["probe"] if references.said else []))
        said = self._door.ask_for(
            SaidReview, "review", f"{system}\n\n## The kit's blocks\n\n{blocks_in(self._cards, code.text)}", user
        )
        by_id = {row.leaf: row for row in said.leaves}
        judged = tuple(_judged(leaf, by_id.get(leaf.id), len(lines)) for leaf in leaves)
        present = {j.leaf for j in judged if j.judgement != "missing"} & {m.id for m in spec.mechanisms}
        main = said.main_mechanism if said.main_mechanism in present else None
        return Review(judged, main, tuple(references.checks(said.probes)))

    def _references(self, spec: MethodSpec, leaves: Sequence[Leaf]) -> References:
        """Naive references of the equations, written from the spec alone: the same for every file that is reviewed."""
        if not any(leaf.kind == "equation" for leaf in leaves):
            return References()
        user = f"{_spec(spec)}\n\n{_rubric([leaf for leaf in leaves if leaf.kind == 'equation'])}"
        return References.of(self._door.ask_for(SaidReferences, "reference", prompt("reference"), user), leaves)

    def ablate(self, spec: MethodSpec, schema: Schema, code: Code, mechanism: str) -> Code | None:
        user = f"{_spec(spec)}\n\n{_schema(schema)}\n\n{_file(code.text)}\n\nTake out: {mechanism}"
        known = f"{_contract('ablate', schema)}{blocks_in(self._cards, code.text)}"
        _, text = self._ask("ablate", known, user, lambda a: "" if a.strip() == "NONE" else code_in(a))
        return Code(_ended(text), composed=False) if text else None

    def _told(self, step: str, spec: MethodSpec, schema: Schema, user: str) -> str:
        """What a writer is told of its task and of the kit, in the room that `user` leaves."""
        known = _contract(step, schema)
        return known + kit_reference(self._cards, spec, schema, self._door.room(known) - len(user))

    def _ask(self, step: str, system: str, user: str, take: Callable[[str], str]) -> tuple[str, str]:
        """The answer and what `take` makes of it; asked once more, with the fault named, when it makes nothing of it."""
        asked, fault = user, ""
        for _ in range(2):
            answer = self._door.ask(step, system, asked)
            try:
                return answer, take(answer)
            except Unusable as error:
                fault = str(error)
                asked = f"{user}\n\nAn earlier answer could not be used: {fault}. Answer in the form that was asked for."
        raise ModelAnswerInvalid(f"{self.name} twice answered the step {step} in a form that cannot be used: {fault}")


def _contract(step: str, schema: Schema) -> str:
    """The step's prompt, what a file must be, and the heading of the blocks that follow."""
    return prompt(step, "contract", "kit", f"predicts_{schema.predicts}") + "\n\n## The kit's blocks\n\n"


def _judged(leaf: Leaf, said: SaidLeaf | None, n_lines: int) -> Judged:
    """The reviewer's row, believed only as far as it points at lines that exist."""
    if said is None:
        return Judged(leaf.id, "missing", None, "the reviewer did not speak of it")
    first, last = said.first_line, said.last_line
    if said.judgement == "missing":
        return Judged(leaf.id, "missing", None, said.note)
    if first is None or last is None or not 1 <= first <= last <= n_lines:
        return Judged(leaf.id, "missing", None, f"the reviewer named no lines of the file for it: {said.note}")
    return Judged(leaf.id, said.judgement, (first, last), said.note)


def _spec(spec: MethodSpec) -> str:
    return fenced("specification", spec.model_dump_json(indent=1, exclude=NOT_FOR_CODE))


def _rubric(leaves: Sequence[Leaf], references: References | None = None) -> str:
    lines = [f"{leaf.id} ({leaf.kind}): {leaf.asks}" for leaf in leaves]
    if references and references.said:
        lines += ["", "References:", references.in_words()]
    return fenced("rubric", "\n".join(lines))


def _tried(before: Tried) -> str:
    return fenced("before", f"A model written before: {before.outcome}.\n\n{before.text}")


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
