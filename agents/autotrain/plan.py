"""What will be trained: data, baselines, seeds, tuning trials and what it will cost, fixed before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import Field

from agents.autotrain.spec import MethodSpec
from agents.autotrain.way import Way, measured_on
from agents.batch_size import usual_batch_size
from agents.compare.question import QUESTIONS, Question
from agents.errors import AgentError
from agents.strict import Strict
from sandboxes.kit.data import Prepared
from sandboxes.kit.schema import Predicts, Schema
from sandboxes.kit.training.config import TrainConfig

ASSUMED_SAMPLES_PER_S = 30_000.0  # of one single-threaded run, until past runs here say better
START_S = 4.0  # starting a sandbox and importing torch
TUNING_SEED = 0  # seeds of the comparison start at 1, so that no compared run was also a tuning trial


class PlanImpossible(AgentError):
    """The request does not fit the data or the kit (an unknown baseline, too few rows): the user must change it."""


class ExperimentPlan(Strict):
    """One protocol for the candidate and all baselines. `seeds` are paired: each trains every model."""

    dataset: str
    data_hash: str
    rows: dict[str, int]
    synthetic: bool
    predicts: Predicts = "labels"
    tasks: tuple[str, ...]
    baselines: tuple[str, ...]
    seeds: tuple[int, ...]
    trials: int = Field(ge=1)  # configurations tried for every model, the default included
    embedding_dim: int
    batch_size: int
    max_epochs: int
    patience: int
    threads: int
    processes: int = Field(default=1, ge=1)  # that train one model together
    way: Way = Way()
    estimated_minutes: float
    estimate_basis: str

    @property
    def primary_task(self) -> str:
        return self.tasks[0]

    @property
    def question(self) -> Question:
        return QUESTIONS[self.predicts]

    @property
    def config(self) -> TrainConfig:
        """What all trainings share, with the defaults of what they tune."""
        return TrainConfig(
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            patience=self.patience,
            threads=self.threads,
            processes=self.processes,
            updates=self.way.updates,
            precision=self.way.precision,
            compiled=self.way.compiled,
        )


def make_plan(
    spec: MethodSpec,
    prepared: Prepared,
    known_models: Sequence[str],
    *,
    baselines: Sequence[str] = (),
    seeds: int = 3,
    first_seed: int = TUNING_SEED + 1,
    trials: int = 2,
    max_epochs: int = 5,
    batch_size: int | None = None,
    parallel: int = 1,
    processes: int = 1,
    past_samples_per_s: float | None = None,
    find_way: Callable[[TrainConfig, int], Way] = lambda config, embedding_dim: Way(),
) -> ExperimentPlan:
    """The plan for reproducing `spec` on `prepared`. Without a `batch_size`, the largest that leaves an epoch 100 steps.

    The seeds are `first_seed` and those that follow. `find_way` is given the settings of a training and the embedding width.
    Raises `PlanImpossible`.
    """
    chosen = tuple(dict.fromkeys(baselines)) or default_baselines(prepared.schema)
    unknown = [name for name in chosen if name not in known_models]
    if unknown:
        raise PlanImpossible(f"no baseline named {', '.join(unknown)}; there are {', '.join(sorted(known_models))}")
    if seeds < 1 or trials < 1:
        raise PlanImpossible("a plan needs at least one seed and one tuning trial")
    config = TrainConfig(batch_size=batch_size or usual_batch_size(prepared.sizes["train"]), max_epochs=max_epochs)
    way = find_way(config, embedding_dim := _embedding_dim(spec))
    rate = past_samples_per_s or way.samples_per_s or ASSUMED_SAMPLES_PER_S
    runs = (len(chosen) + 1) * (seeds + (trials if trials > 1 else 0))
    seconds = runs * (START_S + prepared.sizes["train"] * max_epochs / rate) / parallel
    return ExperimentPlan(
        dataset=prepared.name,
        data_hash=prepared.data_hash,
        rows=dict(prepared.sizes),
        synthetic=prepared.synthetic,
        predicts=prepared.schema.predicts,
        tasks=tuple(t.name for t in prepared.schema.tasks),
        baselines=chosen,
        seeds=tuple(range(first_seed, first_seed + seeds)),
        trials=trials,
        embedding_dim=embedding_dim,
        batch_size=config.batch_size,
        max_epochs=config.max_epochs,
        patience=config.patience,
        threads=config.threads,
        processes=processes,
        way=way,
        estimated_minutes=round(seconds / 60, 1),
        estimate_basis=f"{runs} runs of at most {max_epochs} epochs at {rate:,.0f} samples/s, {parallel} side by side, "
        + _basis(past_samples_per_s, way, measured_on(prepared.schema.predicts)),
    )


def _basis(past_samples_per_s: float | None, way: Way, name: str) -> str:
    if past_samples_per_s:
        return "as past runs here did"
    return f"as {name} was measured here" if way.samples_per_s else "an assumption until runs here have been seen"


def default_baselines(schema: Schema) -> tuple[str, ...]:
    """What a reviewer would ask for first. Of labels: a linear model, a plain deep one, a strong interaction model, and the
    simplest model that uses what the data has besides (several tasks, a history, outcomes of past events). Of items: what all
    like, a factorisation, the model of features that retrieval is built on, and one that reads the order of a history. Of
    actions: the best one for all, and policies learned from estimated rewards, from weighed ones, and from both."""
    if schema.predicts == "actions":
        return ("best_fixed_action", "direct_method", "inverse_propensity", "doubly_robust")
    if schema.predicts == "items":
        return ("popularity", "matrix_factorisation", "two_towers", *(("sasrec",) if schema.sequences else ()))
    several = ("shared_bottom",) if len(schema.tasks) > 1 else ()
    behaviour = ("din",) if schema.sequences else ()
    mastery = ("dkt",) if schema.has_outcomes else ()
    return ("lr", "dnn", "dcnv2", *several, *behaviour, *mastery)


def _embedding_dim(spec: MethodSpec) -> int:
    """The paper's width, for every model alike; 16 where it names none or an odd one."""
    for parameter in spec.hyper_parameters:
        if parameter.name == "embedding_dim" and isinstance(parameter.value, int) and 2 <= parameter.value <= 128:
            return parameter.value
    return 16
