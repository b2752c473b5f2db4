"""What AutoTrain knows before it decides: what stands, what was tried here and elsewhere, and what memory believes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.autotrain.agent.recipe import Values
from agents.autotrain.data_choice import PREDICTS
from agents.autotrain.spec import TaskKind
from sandboxes.kit.schema import Schema


@dataclass(frozen=True)
class PastTurn:
    """One turn as memory has it. `reward` is None where nothing was measured; `figures` are what else was, and the cost."""

    values: Values
    reward: float | None
    accepted: bool
    figures: Mapping[str, float]
    dataset: str
    lesson: str


@dataclass(frozen=True)
class Believed:
    """What all evidence on one subject comes to, from -1 to 1, and the lessons that are this evidence."""

    subject: str
    in_words: str
    strength: float
    here: bool  # on this data set
    lessons: tuple[str, ...]


@dataclass(frozen=True)
class TrainingState:
    """`past` are turns on this very data, oldest first; `elsewhere` those that gained something on other data of the same
    task: what was kept before what was not shown, the greater gain first."""

    dataset: str
    data_hash: str
    task: TaskKind
    incumbent: Values
    past: tuple[PastTurn, ...] = ()
    elsewhere: tuple[PastTurn, ...] = ()
    beliefs: tuple[Believed, ...] = ()


def task_of(schema: Schema) -> TaskKind:
    """The kind of task that the data asks for, as memory speaks of it: the most particular that its columns allow."""
    for task, predicts in PREDICTS.items():
        if predicts == schema.predicts:
            return task
    if schema.has_outcomes:
        return "knowledge_tracing"
    if len(schema.tasks) > 1:
        return "entire_space" if any(t.given for t in schema.tasks) else "multi_task"
    return "multi_scenario" if schema.scenario else "sequence" if schema.sequences else "ctr"
