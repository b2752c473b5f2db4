"""`agenticrs improve`: the graph goes round for any agent; and real turns of both modes, with memory and MLflow told of each."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from command import agenticrs
from mlflow import MlflowClient
from small_clicks import clicks

from agents.contract import Feedback, IllegalDecision, Measured, Outcome, Proposal, Turn
from memory.embeddings import open_embeddings
from memory.records import LessonRecord, RewardRecord
from memory.store import MemoryStore
from workflows.exit_codes import ExitCode
from workflows.improve import Improvement, improved


class Coins:
    def sample(self, random: random.Random) -> int:
        return random.randrange(3)

    def faults(self, decision: int) -> Sequence[str]:
        return [] if decision < 3 else ["too high"]


@dataclass
class Counting:
    """An agent that decides how many turns it has learned, and notes what is done with it."""

    name: str = "Counting"
    measure: str = "coins"
    status: Any = "done"
    done: list[str] = field(default_factory=list)
    learned: int = 0

    def observe(self) -> int:
        self.done.append("observe")
        return self.learned

    def space(self, state: int) -> Coins:
        return Coins()

    def decide(self, state: int) -> Proposal[int]:
        self.done.append("decide")
        return Proposal(state, "", "")

    def act(self, state: int, proposal: Proposal[int]) -> Outcome:
        self.done.append("act")
        return Outcome(self.status, {"coins": Measured(1.0, 1.0, 1.0)})

    def judge(self, state: int, outcome: Outcome) -> Feedback:
        self.done.append("judge")
        return Feedback(outcome.measures["coins"], True, "")

    def learn(self, turn: Turn[int, int]) -> None:
        self.done.append("learn")
        self.learned += 1


def test_it_goes_round_as_often_as_asked_and_tells_of_each_turn() -> None:
    agent, kept = Counting(), list[tuple[int, int]]()
    improved(Improvement(agent, 3, lambda number, turn: kept.append((number, turn.proposal.decision))))
    assert agent.done == ["observe", "decide", "act", "judge", "learn"] * 3
    assert kept == [(1, 0), (2, 1), (3, 2)]


def test_more_turns_than_a_graph_has_steps_by_itself() -> None:
    agent = Counting()
    agent.space = lambda state: type("All", (), {"faults": lambda self, decision: []})()  # type: ignore[method-assign]
    improved(Improvement(agent, 60))
    assert agent.learned == 60


def test_an_illegal_decision_ends_it_before_it_is_tried() -> None:
    agent = Counting(learned=3)
    with pytest.raises(IllegalDecision, match="too high"):
        improved(Improvement(agent, 3))
    assert agent.done == ["observe", "decide"]


def test_a_refusal_and_a_stop_end_it() -> None:
    assert improved(Improvement(Counting(status="refused"), 3))["taken"] == 1
    assert improved(Improvement(Counting(), 3, stop=lambda: True))["taken"] == 1
    assert improved(Improvement(Counting(status="failed"), 3))["taken"] == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["no-such-data"], ExitCode.UNREADABLE, "no-such-data"),
        (["CLICKS", "--incumbent", "bert"], ExitCode.USAGE, "no model named bert"),
        (["CLICKS", "--seeds", "1"], ExitCode.USAGE, "seeds"),
        (["CLICKS", "--mode", "magic"], ExitCode.USAGE, "magic"),
        (["CLICKS", "--mode", "open", "--model", "nobody:nothing"], ExitCode.MODEL, "nobody:nothing"),
    ],
    ids=lambda v: "-".join(v)[:40] if isinstance(v, list) else "",
)
def test_what_a_user_can_cause_is_a_sentence_and_a_code(tmp_path: Path, words: list[str], code: ExitCode, said: str) -> None:
    words = [str(clicks(tmp_path / "clicks.csv", 300)) if w == "CLICKS" else w for w in words]
    done = agenticrs(tmp_path, "improve", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert said.lower() in " ".join((done.stdout + done.stderr).lower().split())
    assert "Traceback" not in done.stdout + done.stderr


QUICK = ("--sandbox", "process", "--seeds", "2", "--epochs", "2")


def improve(home: Path, *words: str) -> list[dict[str, Any]]:
    done = agenticrs(home, "improve", home / "clicks.csv", *QUICK, "--json", *words)
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.slow
def test_real_turns_of_both_modes(tmp_path: Path) -> None:
    """Search takes two turns, a second command goes on from them in open mode; both are in one memory and in MLflow."""
    clicks(tmp_path / "clicks.csv", 3000)
    first, second, best = improve(tmp_path, "--turns", "2")
    assert [e["event"] for e in (first, second, best)] == ["turn", "turn", "best"]
    assert first["status"] == second["status"] == "done" and first["decision"] != second["decision"]
    assert all(e["reward"][1] <= e["reward"][0] <= e["reward"][2] for e in (first, second))
    assert all(e["accepted"] == (e["reward"][1] > 0) for e in (first, second))
    assert first["cost"]["seconds"] > 0 and first["cost"]["parameters"] > 0
    third, _ = improve(tmp_path, "--turns", "1", "--mode", "open")
    assert third["by"] == "builtin" and third["status"] in ("done", "failed")

    memory = MemoryStore(tmp_path / "memory", open_embeddings(""))
    rewards = [r for r in memory.all("reward") if isinstance(r, RewardRecord)]
    assert len(rewards) == 3 and [bool(r.decision.get("code")) for r in rewards] == [False, False, True]
    assert all(isinstance(r, LessonRecord) and r.parents[0] in {w.id for w in rewards} for r in memory.all("lesson"))

    client = MlflowClient(f"sqlite:///{tmp_path.resolve() / 'mlflow.sqlite'}")
    experiment = client.get_experiment_by_name("improvements")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    children = [r for r in runs if "mlflow.parentRunId" in r.data.tags]
    parents = {r.info.run_id for r in runs} - {r.info.run_id for r in children}
    assert len(children) == 3 and len(parents) == 2 and {r.mlflow_run for r in rewards} == parents
    assert all(
        {"gain", "quality", "seconds", "reward_low"} <= r.data.metrics.keys() for r in children if r.info.status == "FINISHED"
    )
    jobs = len(list((tmp_path / "jobs").glob("*/run.json")))
    assert third["status"] == "failed" or jobs == 2 * 4 + 1  # what stands was trained once, not three times


@pytest.mark.slow
def test_turns_are_told_in_a_line_each(tmp_path: Path) -> None:
    clicks(tmp_path / "clicks.csv", 1000)
    done = agenticrs(tmp_path, "improve", tmp_path / "clicks.csv", *QUICK, "--turns", "1")
    turn, stands = done.stdout.strip().splitlines()
    assert turn.startswith("turn 1: ") and turn.endswith("kept)") and stands.startswith("stands: ")
