"""Puts AutoTrain together for `agenticrs improve`: data, sandbox, memory, tracking; and says what its turns come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from agents.autotrain.agent import AutoTrain, Laboratory, in_words, open_agent, search_agent
from agents.autotrain.engine import Engine
from agents.contract import Turn
from memory.store import MemoryStore
from memory.tracking import Tracker
from sandboxes import choose
from sandboxes.jobs import JobRunner
from sandboxes.kit.data import Prepared
from sandboxes.kit.datasets import resolve_data
from sandboxes.protocol import Limits
from workflows.budget import Account, Budget
from workflows.engines import make_engine
from workflows.improve import Improvement, improved
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder
from workflows.settings import SandboxName, Settings

EXPERIMENT = "improvements"  # in MLflow
LONGEST = 250  # characters of a tag that MLflow shows

Emit = Callable[[Mapping[str, object]], None]


@dataclass(frozen=True)
class Asked:
    """The options of the command. `model` is a language model's name; "" composes models of the kit's blocks."""

    data: str
    mode: Literal["search", "open"] = "search"
    turns: int = 5
    incumbent: str = "dnn"
    seeds: int = 3
    epochs: int = 5
    seed: int = 0
    model: str = ""
    sandbox: SandboxName = "auto"
    allow_unsafe_sandbox: bool = False
    budget: Budget = field(default_factory=Budget)


def improve_data(settings: Settings, asked: Asked, memory: MemoryStore, emit: Emit, stop: Callable[[], bool]) -> str:
    """Takes the turns and returns what ended them early, "" when nothing did.

    Raises `DataError`, `SandboxUnavailable`, `MemoryUnusable`, and what agents raise.
    """
    prepared = resolve_data(asked.data, settings.home / "data", raw=settings.data_folder)
    name = f"{asked.mode}-{prepared.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    account = _account(settings, asked, name)
    engine = _engine(settings, asked, account)
    tracker = Tracker(settings.mlflow_uri, settings.home / "mlartifacts", EXPERIMENT)
    parent = tracker.run(name, f"{asked.mode} on {prepared.name}", tags={"role": "improvement", "data": prepared.name})
    over = lambda: stop() or account.out_of_time()  # noqa: E731 - a name for what three places ask
    laboratory = Laboratory(
        prepared, _runners(settings, asked, account), tuple(range(1, asked.seeds + 1)), settings.parallel, over
    )
    agent = _agent(asked, laboratory, memory, engine, parent)
    tracker.log(parent, _parameters(asked, prepared, agent))
    last = improved(Improvement(agent, asked.turns, _keeper(tracker, parent, emit), over))
    _conclude(agent, tracker, parent, emit)
    return last["outcome"].reason if last["outcome"].status == "refused" else ""


def _agent(asked: Asked, laboratory: Laboratory, memory: MemoryStore, engine: Engine | None, parent: str) -> AutoTrain[Any]:
    if asked.mode == "search":
        return search_agent(
            laboratory, memory, incumbent=asked.incumbent, most_epochs=asked.epochs, seed=asked.seed, mlflow_run=parent
        )
    return open_agent(
        laboratory,
        memory,
        incumbent=asked.incumbent,
        most_epochs=asked.epochs,
        seed=asked.seed,
        engine=engine,
        mlflow_run=parent,
    )


def _engine(settings: Settings, asked: Asked, account: Account) -> Engine | None:
    """The language model that writes, if one was asked for. Raises `ModelUnavailable`."""
    if asked.mode == "search" or not asked.model:
        return None
    return make_engine(settings, ReproductionRequest(paper="", model=asked.model, budget=asked.budget), account)


def _account(settings: Settings, asked: Asked, name: str) -> Account:
    folder = RunFolder(settings.home / "improvements" / name)
    folder.path("calls.jsonl")  # the ledgers lie in it
    return Account(folder, asked.budget, f"agenticrs improve {asked.data} --mode {asked.mode}")


def _runners(settings: Settings, asked: Asked, account: Account) -> Callable[[bool], JobRunner]:
    """Jobs in the sandboxes that may run composed, and other code; that which is surely needed is looked for at once."""
    limits = Limits(settings.timeout_s, settings.memory_mb, float(settings.processes))
    made: dict[bool, JobRunner] = {}

    def runner(composed: bool) -> JobRunner:
        if composed not in made:
            sandbox = choose(asked.sandbox, composed=composed, allow_unsafe=asked.allow_unsafe_sandbox)
            made[composed] = JobRunner(sandbox, settings.home / "jobs", limits, account.sandbox)
        return made[composed]

    runner(True)
    if asked.mode == "open" and asked.model:
        runner(False)
    return runner


def _parameters(asked: Asked, prepared: Prepared, agent: AutoTrain[Any]) -> dict[str, object]:
    said = {"data_hash": prepared.data_hash, "measure": agent.measure, "begins with": in_words(agent.observe().incumbent)}
    return {"mode": asked.mode, "seeds": asked.seeds, "epochs": asked.epochs, **said}


def _keeper(tracker: Tracker, parent: str, emit: Emit) -> Callable[[int, Turn[Any, Any]], None]:
    """Tracks each turn below `parent`, and tells it."""

    def keep(number: int, turn: Turn[Any, Any]) -> None:
        event = _event(number, turn)
        run = tracker.run(f"{parent}/{number}", f"turn {number}: {event['decision']}"[:LONGEST], parent, _tags(event))
        reward = turn.feedback.reward
        measured = {name.replace("@", " at "): m.value for name, m in turn.outcome.measures.items()}
        rewarded = {"reward": reward.value, "reward_low": reward.low, "reward_high": reward.high} if reward else {}
        tracker.log(run, metrics={**measured, **turn.outcome.cost, **rewarded})
        tracker.finish(run, ok=turn.outcome.status == "done")
        emit(event)

    return keep


def _tags(event: Mapping[str, object]) -> dict[str, str]:
    return {name: str(event[name])[:LONGEST] for name in ("status", "accepted", "by", "rationale", "reason")}


def _event(number: int, turn: Turn[Any, Any]) -> dict[str, object]:
    decision, reward = turn.proposal.decision, turn.feedback.reward
    return {
        "event": "turn",
        "turn": number,
        "decision": in_words(decision if isinstance(decision, Mapping) else decision.values),
        "by": turn.proposal.by,
        "rationale": turn.proposal.rationale,
        "relied_on": list(turn.proposal.relied_on),
        "status": turn.outcome.status,
        "reward": None if reward is None else [reward.value, reward.low, reward.high],
        "accepted": turn.feedback.accepted,
        "reason": turn.feedback.reason,
        "cost": dict(turn.outcome.cost),
    }


def _conclude(agent: AutoTrain[Any], tracker: Tracker, parent: str, emit: Emit) -> None:
    """Tells what stands in the end."""
    state = agent.observe()
    accepted = [turn.figures for turn in state.past if turn.accepted and turn.values == state.incumbent]
    quality = accepted[-1].get("quality") if accepted else None
    values = {name: value for name, value in state.incumbent.items() if name != "code"}
    tracker.tag(parent, {"best": in_words(state.incumbent)[:LONGEST]})
    tracker.log(parent, metrics={} if quality is None else {"best_quality": quality})
    tracker.finish(parent)
    kept = sum(turn.accepted for turn in state.past)
    emit({"event": "best", "configuration": values, "in_words": in_words(state.incumbent), "quality": quality, "kept": kept})


def as_asked(settings: Settings, asked: Asked) -> Asked:
    """With what the site has decided where the options say nothing."""
    return replace(asked, model=asked.model or (settings.model if asked.mode == "open" else ""))
