"""How architectures are decided: composed of blocks that memory speaks well of, or written; legal, and never tried before."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from autotrain_worlds import SCHEMA, TWO_TASKS, Told, illegal_codes, laboratory, planted, store

from agents.autotrain.agent import Architecture, OpenMode, TrainingState, open_agent
from agents.autotrain.agent.actions import declared, starting
from agents.autotrain.agent.architectures import Architectures
from agents.autotrain.agent.open_mode import REPAIRS, blocks_in, evidence_of, promise
from agents.autotrain.agent.recipe import recipe_of, same_again
from agents.autotrain.agent.state import Believed, PastTurn
from agents.autotrain.builtin import BuiltinEngine
from agents.autotrain.engine import Code, Failure, Tried
from agents.autotrain.spec import MethodSpec
from agents.contract import Turn, take_turn
from agents.errors import NothingToBuild
from memory.records import LessonRecord
from sandboxes.kit.schema import CategoricalField, Schema
from sandboxes.kit.training.config import TrainConfig

START = dict(starting(declared(SCHEMA, 20_000, 3), "dnn", 20_000, 3))
TRAINING = {name: value for name, value in START.items() if name != "model"}
SPACE = Architectures(SCHEMA, "ctr", TRAINING)
WRITTEN = SPACE.sample(random.Random(5)).code.replace('"""A click model', '"""An unheard-of model').replace("* 1", "* 1.0")


def state(*past: PastTurn, beliefs: Sequence[Believed] = (), schema: Schema = SCHEMA) -> TrainingState:
    return TrainingState("shop", "h1", "ctr", START, past, beliefs=tuple(beliefs))


def believed(block: str, strength: float, here: bool = True) -> Believed:
    return Believed(f"a model with {block} against dnn", f"{block}: {strength}", strength, here, (f"lesson-{block}",))


def of_past(decision: Architecture, reward: float | None = 0.0) -> PastTurn:
    return PastTurn(decision.values, reward, False, {}, "shop", "lesson")


@pytest.mark.parametrize("schema", [SCHEMA, TWO_TASKS])
def test_what_is_drawn_is_composed_of_blocks_that_fit_the_data(schema: Schema) -> None:
    space, chance = Architectures(schema, "ctr", TRAINING), random.Random(0)
    drawn = [space.sample(chance) for _ in range(30)]
    assert len({d.blocks for d in drawn}) > 20 and {len(d.blocks) for d in drawn} == {1, 2, 3, 4}
    assert all(d.composed and not space.faults(d) for d in drawn)
    blocks = {b for d in drawn for b in d.blocks}
    assert ("target_attention" in {c.name for c in space.blocks}) == bool(schema.sequences)
    assert blocks <= {c.name for c in space.blocks}


def test_blocks_that_cannot_all_stand_make_no_model() -> None:
    """Of one for which another takes the seat, the engine makes a model without it: that is none of these blocks."""
    pairs = [(one.name, other.name) for one, other in combinations(SPACE.blocks, 2) if one.slot == other.slot == "embedding"]
    assert pairs and all(SPACE.composed_of(pair) is None for pair in pairs)
    assert any(": left out, " in note for note in BuiltinEngine().write(SPACE.spec(pairs[0]), SCHEMA).notes)


def test_each_fault_is_said() -> None:
    legal = SPACE.sample(random.Random(3))
    said = ["os", "not valid Python", "no class Model", "not what these blocks come to"] + ["not what these blocks"] * 2
    for decision, words in zip(illegal_codes(legal), [*said, "other settings"], strict=True):
        assert words in "; ".join(SPACE.faults(decision)), words


def test_written_code_keeps_to_the_policy_alone() -> None:
    legal = SPACE.sample(random.Random(3))
    more = replace(legal, code=legal.code + "\nclass More:\n    pass\n", composed=False)
    assert SPACE.faults(more) == [] and SPACE.faults(replace(more, composed=True))


def test_data_on_which_nothing_stands_is_told() -> None:
    alone = Architectures(Schema((CategoricalField("item", 30),)), "ctr", TRAINING)
    object.__setattr__(alone, "blocks", ())  # no block at all
    with pytest.raises((NothingToBuild, ValueError)):
        alone.sample(random.Random(0))


def decided_by_many(beliefs: Sequence[Believed] = ()) -> Counter[str]:
    """How many of 25 agents, whose chance differs, decide for each block."""
    decided = [OpenMode(SCHEMA, seed=s).decide(state(beliefs=beliefs)).decision for s in range(25)]
    return Counter(block for d in decided for block in d.blocks)


def test_blocks_that_memory_speaks_well_of_are_taken_and_those_that_failed_are_left() -> None:
    plain = decided_by_many()
    usual, seldom = plain.most_common(1)[0][0], "fm"
    assert plain[usual] > 2 >= plain[seldom]
    assert decided_by_many([believed(usual, -0.9)] * 3)[usual] == 0
    assert decided_by_many([believed(seldom, 0.9)] * 3)[seldom] > 12


def test_evidence_from_other_data_counts_less() -> None:
    here, elsewhere = (promise([believed("fm", 0.8, here)] * 2, random.Random(0)) for here in (True, False))
    assert here > elsewhere > promise([], random.Random(0))


def test_chance_fades_as_evidence_grows() -> None:
    little, much = ([promise([believed("fm", 0.0)] * n, random.Random(s)) for s in range(50)] for n in (1, 20))
    assert max(map(abs, much)) < 0.5 * max(map(abs, little))


@pytest.mark.parametrize(
    ("subject", "blocks"),
    [
        ("a model with dnn, fm against dcnv2", ["dnn", "fm"]),
        ("a method with linear, dnn", ["linear", "dnn"]),
        ("fm in a model with dnn, fm", ["fm"]),
        ("dnn against fm", ["dnn"]),
        ("masknet against dnn", []),  # a model, and no block
    ],
)
def test_whom_a_lesson_is_about(subject: str, blocks: list[str]) -> None:
    assert list(blocks_in(subject)) == blocks


def test_a_proposal_names_the_lessons_of_its_blocks() -> None:
    beliefs = [believed("fm", 0.9)] * 3 + [believed("linear", -0.9)] * 3
    proposal = OpenMode(SCHEMA).decide(state(beliefs=beliefs))
    assert "fm" in proposal.decision.blocks and "linear" not in proposal.decision.blocks
    assert proposal.relied_on == ("lesson-fm",) and "by 1 lessons" in proposal.rationale
    assert OpenMode(SCHEMA).decide(state()).relied_on == ()


def test_what_was_tried_is_not_tried_again() -> None:
    mode, turns = OpenMode(SCHEMA), list[PastTurn]()
    for _ in range(6):
        decision = mode.decide(state(*turns)).decision
        renamed = replace(decision, code="# under another name\n" + decision.code)
        turns += [of_past(renamed)]
    assert len({same_again({"code": t.values["code"]}) for t in turns}) == 6
    same_state = mode.decide(state())
    kept = replace(state(), incumbent={**same_state.decision.values})
    assert mode.decide(kept).decision.blocks != same_state.decision.blocks


def test_where_all_that_was_drawn_was_tried_it_says_so() -> None:
    mode = OpenMode(SCHEMA)
    few = Architectures(SCHEMA, "ctr", TRAINING)
    turns = [of_past(few.of(code, (b.name,))) for b in few.blocks if (code := few.composed_of((b.name,))) is not None]
    only_single = type("Single", (Architectures,), {"draw_blocks": lambda self, random, among: (random.choice(among),)})
    object.__setattr__(mode, "space", lambda state: only_single(SCHEMA, "ctr", TRAINING))
    with pytest.raises(NothingToBuild, match="that was tried on this data"):
        mode.decide(state(*turns))


@dataclass
class Scripted:
    """An engine that writes what it is given, file by file, and keeps what it was told."""

    texts: list[str | None]
    name: str = "scripted:model"
    told: list[tuple[MethodSpec, Sequence[Tried], Sequence[str]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def write(self, spec: MethodSpec, schema: Schema, before: Sequence[Tried] = (), lessons: Sequence[str] = ()) -> Code:
        self.told.append((spec, before, lessons))
        return Code(str(self.texts.pop(0)), composed=False)

    def repair(self, spec: MethodSpec, schema: Schema, code: Code, failure: Failure) -> Code | None:
        self.failures.append(failure)
        text = self.texts.pop(0)
        return None if text is None else Code(text, composed=False)


def test_an_engine_writes_for_the_blocks_and_knows_what_memory_knows() -> None:
    engine: Any = Scripted([WRITTEN])
    tried = of_past(SPACE.sample(random.Random(1)), reward=None)
    proposal = OpenMode(SCHEMA, engine).decide(state(tried, beliefs=[believed("fm", 0.9)]))
    assert proposal.decision.code == WRITTEN and not proposal.decision.composed and proposal.by == "scripted:model"
    ((spec, before, lessons),) = engine.told
    assert [m.block for m in spec.mechanisms] == list(proposal.decision.blocks)
    assert "could not be trained" in before[0].outcome and before[0].text == tried.values["code"] and lessons == ["fm: 0.9"]


def test_what_the_space_refuses_is_repaired_with_its_faults() -> None:
    engine: Any = Scripted(["import os\n" + WRITTEN, WRITTEN])
    assert OpenMode(SCHEMA, engine).decide(state()).decision.code == WRITTEN
    assert "`os` is not allowed" in engine.failures[0].message


@pytest.mark.parametrize("texts", [["import os"] * (REPAIRS + 1), ["import os", None], [WRITTEN]])
def test_where_nothing_new_and_legal_is_written_a_model_is_composed(texts: list[str | None]) -> None:
    known = [of_past(SPACE.of(Code(WRITTEN, False), ("fm",)))] if texts == [WRITTEN] else []
    proposal = OpenMode(SCHEMA, Scripted(texts)).decide(state(*known))  # type: ignore[arg-type]
    assert proposal.by == "builtin" and proposal.decision.composed and not SPACE.faults(proposal.decision)


def test_it_is_trained_as_what_stands_is() -> None:
    values = {**TRAINING, "learning_rate": 0.007, "weight of buy": 0.5}
    plain = "class Model:\n    pass\n"
    made = recipe_of(Architecture(plain, ("fm",), False, values).values, TWO_TASKS, TrainConfig())
    assert made.config.learning_rate == 0.007 and made.hyper["embedding_dim"] == 16 and made.source.code == plain
    assert not made.source.composed and made.config.task_weights == (1.0, 0.5)
    for method in ("loss", "stages"):  # which weigh the tasks themselves
        own = f"class Model:\n    def {method}(self): ...\n"
        assert recipe_of(Architecture(own, ("fm",), True, values).values, TWO_TASKS, TrainConfig()).config.task_weights == ()


def test_a_turn_smokes_then_trains_and_teaches(tmp_path: Path) -> None:
    told = Told(lambda job, code: 0.6 if code else 0.3)
    memory = store(tmp_path)
    agent = open_agent(laboratory(tmp_path, told=told), memory, incumbent="dnn", most_epochs=3)
    turn = take_turn(agent)
    assert turn.feedback.accepted and [job["action"] for job in told.jobs] == ["smoke"] + ["train"] * 6
    (lesson,), blocks = memory.all("lesson"), ", ".join(turn.proposal.decision.blocks)
    assert isinstance(lesson, LessonRecord) and lesson.subject == f"a model with {blocks} against dnn"
    after = agent.observe()
    assert after.incumbent["code"] == turn.proposal.decision.code
    assert set(evidence_of(after.beliefs)) == set(turn.proposal.decision.blocks)
    assert take_turn(agent).proposal.decision.code != turn.proposal.decision.code
    assert told.jobs[-1]["config"]["learning_rate"] == 0.002


def test_what_fails_its_smoke_tests_is_not_trained(tmp_path: Path) -> None:
    told = Told(smoke=({"name": "overfits", "passed": False, "detail": "it does not"},))
    agent = open_agent(laboratory(tmp_path, told=told), store(tmp_path), incumbent="dnn", most_epochs=3)
    turn = take_turn(agent)
    assert turn.outcome.status == "failed" and "overfits" in turn.outcome.reason
    assert [job["action"] for job in told.jobs] == ["smoke"]


def test_a_turn_of_search_is_known_in_open_mode(tmp_path: Path) -> None:
    """What one way of deciding found is what the other goes on from."""
    from agents.autotrain.agent import search_agent
    from agents.contract import Proposal

    memory, made = store(tmp_path), laboratory(tmp_path)
    search = search_agent(made, memory, incumbent="dnn", most_epochs=3)
    seen = search.observe()
    better = {**seen.incumbent, "learning_rate": 0.009}
    search.learn(Turn(seen, Proposal(better, "", ""), planted(0.03), search.judge(seen, planted(0.03))))
    opened = open_agent(made, memory, incumbent="dnn", most_epochs=3)
    assert opened.decide(opened.observe()).decision.training["learning_rate"] == 0.009
