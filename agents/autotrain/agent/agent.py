"""AutoTrain as an agent: one loop for both ways to decide, which differ in nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agents.autotrain.agent.actions import declared, fitting_models, starting
from agents.autotrain.agent.architectures import Architecture
from agents.autotrain.agent.diary import Diary
from agents.autotrain.agent.judging import judged
from agents.autotrain.agent.laboratory import Laboratory
from agents.autotrain.agent.mode import Mode
from agents.autotrain.agent.open_mode import OpenMode
from agents.autotrain.agent.recipe import Values, recipe_of
from agents.autotrain.agent.search_mode import SearchMode
from agents.autotrain.agent.state import TrainingState, task_of
from agents.autotrain.engine import Engine
from agents.autotrain.plan import PlanImpossible
from agents.compare.question import QUESTIONS
from agents.contract import Feedback, Outcome, Proposal, Space, Turn
from agents.declared_space import Decision
from memory.store import MemoryStore
from sandboxes.kit.data import Prepared
from sandboxes.kit.schema import Schema
from sandboxes.kit.training.config import TrainConfig

NAME = "AutoTrain"
D = TypeVar("D")


@dataclass(frozen=True)
class AutoTrain(Generic[D]):
    """See `agents.contract.Agent`. `base` is what no decision says of training, `start` stands until a turn was accepted."""

    mode: Mode[D]
    laboratory: Laboratory
    diary: Diary
    start: Values
    base: TrainConfig = field(default_factory=TrainConfig)

    @property
    def name(self) -> str:
        return self.diary.agent

    @property
    def measure(self) -> str:
        return self.diary.measure

    def observe(self) -> TrainingState:
        return self.diary.read(self.start)

    def space(self, state: TrainingState) -> Space[D]:
        return self.mode.space(state)

    def decide(self, state: TrainingState) -> Proposal[D]:
        return self.mode.decide(state)

    def act(self, state: TrainingState, proposal: Proposal[D]) -> Outcome:
        schema = self.laboratory.prepared.schema
        candidate = recipe_of(self.mode.values(proposal.decision), schema, self.base)
        if self.mode.smokes and (failed := self.laboratory.smoke(candidate)) is not None:
            return failed
        return self.laboratory.compare(recipe_of(state.incumbent, schema, self.base), candidate)

    def judge(self, state: TrainingState, outcome: Outcome) -> Feedback:
        return judged(outcome)

    def learn(self, turn: Turn[TrainingState, D]) -> None:
        self.diary.write(turn, self.mode.values(turn.proposal.decision))


def search_agent(
    laboratory: Laboratory, memory: MemoryStore, *, incumbent: str, most_epochs: int = 5, seed: int = 0, mlflow_run: str = ""
) -> AutoTrain[Decision]:
    """AutoTrain in search mode, beginning with a reference model. Raises `PlanImpossible`."""
    prepared = laboratory.prepared
    space = declared(prepared.schema, prepared.sizes["train"], most_epochs)
    start = _start(prepared, incumbent, most_epochs)
    return AutoTrain(SearchMode(space, seed), laboratory, _diary(prepared, memory, mlflow_run), start)


def open_agent(
    laboratory: Laboratory,
    memory: MemoryStore,
    *,
    incumbent: str,
    most_epochs: int = 5,
    seed: int = 0,
    engine: Engine | None = None,
    mlflow_run: str = "",
) -> AutoTrain[Architecture]:
    """AutoTrain in open mode; with an `engine`, that one writes the models. Raises `PlanImpossible`."""
    prepared = laboratory.prepared
    start = _start(prepared, incumbent, most_epochs)
    mode = OpenMode(prepared.schema, engine, seed)
    return AutoTrain(mode, laboratory, _diary(prepared, memory, mlflow_run), start)


def measure_of(schema: Schema) -> str:
    """What AutoTrain is measured by on such data, with its unit."""
    return f"{QUESTIONS[schema.predicts].measure.words} gained on valid, per training of what stood"


def _start(prepared: Prepared, incumbent: str, most_epochs: int) -> Values:
    known = fitting_models(prepared.schema)
    if incumbent not in known:
        raise PlanImpossible(f"no model named {incumbent} fits this data; there are {', '.join(sorted(known))}")
    rows = prepared.sizes["train"]
    return dict(starting(declared(prepared.schema, rows, most_epochs), incumbent, rows, most_epochs))


def _diary(prepared: Prepared, memory: MemoryStore, mlflow_run: str) -> Diary:
    schema = prepared.schema
    return Diary(memory, NAME, measure_of(schema), prepared.name, prepared.data_hash, task_of(schema), mlflow_run)
