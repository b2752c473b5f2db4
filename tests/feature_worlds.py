"""Small worlds in which AutoFeature is an agent: a log with a planted cross, a memory, a sandbox that trains in no time."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
from memory_records import Letters
from quick_sandbox import QuickSandbox

from agents.autofeature.agent import AutoFeature, Decision, Done, outcome_of
from agents.autofeature.changes import Add, Drop
from agents.autofeature.confirmation import Confirmation
from agents.autofeature.costs import Cost
from agents.autofeature.effects import Gain
from agents.autofeature.observation import Observation
from agents.autofeature.settings import Settings
from agents.autofeature.shortlist import Bundle
from agents.autofeature.trainer import Trainer
from agents.autofeature.trials import Tried
from agents.autofeature.verdicts import Judged
from agents.contract import Outcome
from memory.records import LessonRecord, RewardRecord
from memory.store import MemoryStore
from sandboxes.jobs import JobRunner
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.features.cross import Cross
from sandboxes.protocol import Limits

LEVELS = 8
SPEC = TableSpec(
    "planted",
    tasks=(Label("click"),),
    categorical=(
        Categorical("colour"),
        Categorical("shape"),
        Categorical("size"),
        Categorical("noise"),
        Categorical("weight_class"),
    ),
    numeric=(Numeric("weight"),),
    split=Split(valid=0.2, train=0.6, test=0.2),
)


def log(rows: int = 6000, seed: int = 0) -> pl.DataFrame:
    """Clicks that depend on the size, on the weight, and on colour and shape together, of which neither says anything alone."""
    rng = np.random.default_rng(seed)
    colour, shape, size = rng.integers(LEVELS, size=(3, rows))
    effect = np.linspace(-2, 2, LEVELS)[(colour + shape) % LEVELS]
    weight = rng.normal(size=rows)
    logit = effect + 0.3 * (size - 3.5) + 0.4 * weight
    click = rng.random(rows) < 1 / (1 + np.exp(-logit))
    return pl.DataFrame(
        {
            "colour": [f"c{i}" for i in colour],
            "shape": [f"s{i}" for i in shape],
            "size": size,
            "noise": rng.integers(6, size=rows),
            "weight_class": np.digitize(rng.normal(size=rows), [-1, 0, 1]),
            "weight": weight.round(3),
            "spare": rng.integers(5, size=rows),
            "paid": np.where(click, "yes", "no"),
            "click": click.astype(int),
        }
    )


def source(seed: int = 0, rows: int = 6000) -> Source:
    return Source(SPEC, lambda: log(rows, seed), f"planted {rows} {seed}")


def agent(folder: Path, memory: MemoryStore, sandbox: QuickSandbox | None = None, *, run: str = "", seed: int = 0) -> AutoFeature:
    """AutoFeature on that log; what is prepared and trained lies under `folder` and is found again."""
    runner = JobRunner(sandbox or QuickSandbox(), folder / "jobs", Limits())  # type: ignore[arg-type]
    trainer = Trainer(source(seed), folder / "data", runner, parallel=2)
    return AutoFeature(trainer, memory, Settings(model="lr", most=3), run=run)


class FeatureWorld:
    """See `agents.promotion.World`. Trainings are shared by all worlds of a `shared` folder: they are kept only to save time."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self.memory, self._shared = MemoryStore(folder / "memory", Letters()), shared

    def agent(self) -> AutoFeature:
        return agent(self._shared, self.memory)

    def lasting(self) -> object:
        return [record.model_dump(exclude={"created"}) for record in self.memory.all()]

    def outcome(self, decision: Decision, good: bool) -> Outcome:
        return planted(decision, 0.02 if good else -0.02)

    def failure(self) -> Outcome:
        return Outcome("failed", reason="the sandbox ran out of memory")

    def illegal(self, state: Observation) -> list[Decision]:
        paid = Add(name="x", gives="text", derived=(Cross("x", ("colour", "paid")),))
        twice = Drop(name="noise")
        return [
            (bundle("gone", Drop(name="nothing")),),
            (bundle("leak", paid),),
            (bundle("leak", Add(name="paid", gives="text", column="paid")),),
            (bundle("empty"),),
            (bundle("same", twice), bundle("same", twice)),
            (bundle("unknown", Add(name="y", gives="text", derived=(Cross("y", ("colour", "click")),))),),
            (bundle("absent", Add(name="w", gives="text", derived=(Cross("w", ("colour", "nothing")),))),),
            (bundle("kind", Add(name="z", gives="number", derived=(Cross("z", ("colour", "shape")),))),),
        ]

    def disturb(self) -> None:
        shared = {"dataset": "planted", "task": "ctr", "agent": "AutoTrain"}
        self.memory.add(
            RewardRecord(id="r", measure="m", value=9.0, accepted=True, reason="", decision={}, **shared),
            LessonRecord(id="l", subject="lr", claim="c", polarity="negative", reason="r", evidence=("r",), **shared),
        )


def bundle(name: str, *changes: Add | Drop) -> Bundle:
    return Bundle(name=name, aim="gain", changes=changes, why="for a test")


def planted(decision: Decision, value: float) -> Outcome:
    """What would have come of a decision that gained so much, certainly."""
    gain = Gain(
        value=value, low=value - 0.001, high=value + 0.001, p_gain=0.0001, seeds=3, per_seed=(value,) * 3, standard_error=0.0005
    )
    trials = [{"name": b.name, "aim": b.aim, "changes": b.changes, "gain": gain, "p": 0.0001, "worth": 0.0005} for b in decision]
    tried = Tried.model_validate({"base_jobs": (), "base_cost": None, "seeds": (1, 2, 3), "trials": trials})
    kept = value > 0
    verdicts = tuple(Judged(name=b.name, kept=kept, reason="planted") for b in decision)
    last = Confirmation(
        verdict="adopted" if kept else "not adopted",
        changes=tuple(c for b in decision for c in b.changes),
        reason="planted",
        gain=gain,
        cost=Cost(bytes=1000, ms=0.1, values=5),
        worth=0.0005,
    )
    return outcome_of(Done(tried=tried, verdicts=verdicts, last=last))


def drawn(world: FeatureWorld, number: int) -> Decision:
    made = world.agent()
    return made.space(made.observe()).sample(random.Random(number))
