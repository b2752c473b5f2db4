"""Small worlds in which AutoTrain is an agent: a memory of its own, and a sandbox that answers as told (`agents.promotion`)."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from memory_records import Letters

from agents.autotrain.agent import Architecture, AutoTrain, Laboratory, TrainingState, open_agent, search_agent
from agents.contract import Measured, Outcome
from memory.records import LessonRecord, RewardRecord
from memory.store import MemoryStore
from sandboxes.jobs import JobRunner
from sandboxes.kit.schema import CategoricalField, NumericField, Schema, SequenceField, Task
from sandboxes.protocol import Limits, RunRequest, RunResult

LABELS = np.tile([[0.0], [1.0]], (100, 1)).astype(np.float32)  # (200, 1)
SCHEMA = Schema((CategoricalField("user", 40), CategoricalField("item", 30)), user="user")
TWO_TASKS = Schema(
    (CategoricalField("user", 40), CategoricalField("item", 30)),
    (NumericField("price"),),
    (SequenceField("clicked", "item", 5),),
    (Task("click"), Task("buy")),
    user="user",
)


class Data:
    """As much of a prepared data set as is asked of it outside a sandbox."""

    visible, name = Path("visible"), "shop"

    def __init__(self, schema: Schema = SCHEMA, data_hash: str = "h1") -> None:
        self.schema, self.data_hash = schema, data_hash
        self.sizes = {"train": 20_000, "valid": 200, "test": 200}

    def groups(self, split: str) -> None:
        return None

    def hidden_labels(self, split: str) -> np.ndarray:
        assert split == "valid", "what is tried may not be looked at on test"
        return np.repeat(LABELS, len(self.schema.tasks), axis=1)


@dataclass
class Told:
    """A sandbox in which a training comes to what `ending` says of its job and code: a status, or a skill from 0 to 1."""

    ending: Callable[[dict[str, Any], str], str | float] = lambda job, code: 0.5
    tasks: int = 1
    seconds: float = 5.0
    smoke: tuple[dict[str, Any], ...] = ({"name": "builds", "passed": True, "detail": ""},)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    name: str = "told"

    def run(self, request: RunRequest, progress: object = None, cancelled: object = None) -> RunResult:
        job = json.loads(request.files["job.json"])
        self.jobs.append(job)
        request.outputs.mkdir(parents=True)
        end = self.ending(job, request.files.get("model.py", ""))
        if isinstance(end, str):
            return RunResult(end, self.name, None, self.seconds, reason="told so")  # type: ignore[arg-type]
        if job["action"] == "smoke":
            (request.outputs / "smoke.json").write_text(json.dumps({"checks": self.smoke, "parameters": 3}))
            return RunResult("ok", self.name, 0, 1.0)
        noise = np.random.default_rng(job["config"]["seed"]).random((200, self.tasks))
        predicted = (end * np.repeat(LABELS, self.tasks, axis=1) + (1 - end) * noise).astype(np.float32)
        np.save(request.outputs / "valid.npy", predicted)
        said = {"device": "cpu", "parameters": 3, "epochs": [], "best_epoch": 1, "samples_per_s": 1.0, "seconds": 1.0}
        (request.outputs / "result.json").write_text(json.dumps(said))
        return RunResult("ok", self.name, 0, self.seconds)


def laboratory(
    folder: Path, data: Data | None = None, told: Told | None = None, seeds: tuple[int, ...] = (1, 2, 3)
) -> Laboratory:
    data = data or Data()
    runner = JobRunner(told or Told(tasks=len(data.schema.tasks)), folder / "jobs", Limits())  # type: ignore[arg-type]
    return Laboratory(data, lambda composed: runner, seeds)  # type: ignore[arg-type]


def store(folder: Path) -> MemoryStore:
    return MemoryStore(folder / "memory", Letters())


class AutoTrainWorld:
    """See `agents.promotion.World`. Both modes: what differs is which decisions are illegal."""

    def __init__(self, folder: Path, mode: str, data: Data | None = None) -> None:
        self.memory, self._mode, self._data, self._folder = store(folder), mode, data or Data(), folder

    def agent(self) -> AutoTrain[Any]:
        make: Any = {"search": search_agent, "open": open_agent}[self._mode]
        made: AutoTrain[Any] = make(laboratory(self._folder, self._data), self.memory, incumbent="dnn", most_epochs=3)
        return made

    def lasting(self) -> object:
        return [record.model_dump() for record in self.memory.all()]

    def outcome(self, decision: Any, good: bool) -> Outcome:
        return planted(0.02 if good else -0.02)

    def failure(self) -> Outcome:
        return Outcome("failed", cost={"seconds": 3.0}, reason="the loss became NaN")

    def illegal(self, state: TrainingState) -> list[Any]:
        legal = self.agent().space(state).sample(random.Random(3))
        return illegal_codes(legal) if isinstance(legal, Architecture) else illegal_points(legal)

    def disturb(self) -> None:
        """Another agent earns, and teaches, and the same agent elsewhere does."""
        shared: dict[str, Any] = {"dataset": "shop", "task": "ctr"}
        self.memory.add(
            RewardRecord(id="r", agent="AutoFeature", measure="m", value=9.0, accepted=True, reason="", decision={}, **shared),
            LessonRecord(
                id="l", agent="AutoFeature", subject="dnn", claim="c", polarity="negative", reason="r", evidence=("r",), **shared
            ),
        )


def planted(gain: float, seconds: float = 5.0) -> Outcome:
    """A training that gained so much, certainly, in as long as what stood took."""
    measures = {
        "gain": Measured(gain, gain - 0.001, gain + 0.001),
        "quality": Measured(0.7 + gain, 0.7, 0.8),
        "incumbent_quality": Measured(0.7, 0.69, 0.71),
    }
    return Outcome("done", measures, {"seconds": seconds, "incumbent_seconds": 5.0})


def illegal_points(legal: Mapping[str, Any]) -> list[Any]:
    return [
        {**legal, "learning_rate": 1.0},
        {**legal, "learning_rate": float("nan")},
        {**legal, "epochs": 2.5},
        {**legal, "model": "din"},  # no history
        {**legal, "model": "bert"},
        {**legal, "colour": "red"},
        {name: value for name, value in legal.items() if name != "batch_size"},
        {},
    ]


def illegal_codes(legal: Architecture) -> list[Any]:
    return [
        replace(legal, code="import os\n" + legal.code),
        replace(legal, code="class Model(:"),
        replace(legal, code="x = 1\n"),
        replace(legal, code=legal.code + "\nclass More:\n    pass\n"),  # not what the blocks come to
        replace(legal, blocks=("target_attention",)),
        replace(legal, blocks=()),
        replace(legal, training={**legal.training, "learning_rate": 0.5}),
    ]
