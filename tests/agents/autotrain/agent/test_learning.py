"""What a turn leaves in memory, once however often it is learned, and what is read of it before the next."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from autotrain_worlds import Data, Told, laboratory, planted, store
from command import ROOT

from agents.autotrain.agent import AutoTrain, TrainingState, search_agent
from agents.contract import Feedback, Outcome, Proposal, Turn, take_turn
from memory.records import DecisionRecord, LessonRecord, RewardRecord
from memory.store import MemoryStore


def agent(folder: Path, memory: MemoryStore | None = None, data: Data | None = None, told: Told | None = None) -> AutoTrain[Any]:
    made = laboratory(folder, data, told)
    return search_agent(made, memory or store(folder), incumbent="dnn", most_epochs=3, mlflow_run="run7")


def turn(of: AutoTrain[Any], outcome: Outcome, state: TrainingState | None = None, **changed: Any) -> Turn[TrainingState, Any]:
    state = state or of.observe()
    proposal = Proposal({**state.incumbent, "learning_rate": 0.01, **changed}, "a test", "planted", ("lesson-x",))
    return Turn(state, proposal, outcome, of.judge(state, outcome))


def test_a_turn_becomes_a_decision_its_reward_and_a_lesson(tmp_path: Path) -> None:
    memory = store(tmp_path)
    made = agent(tmp_path, memory)
    made.learn(turn(made, planted(0.02)))
    decision, reward, lesson = memory.all()
    assert isinstance(decision, DecisionRecord) and isinstance(reward, RewardRecord) and isinstance(lesson, LessonRecord)
    assert decision.relied_on == ("lesson-x",) and "learning_rate 0.01" in decision.choice
    assert reward.parents == (decision.id,) and lesson.parents == lesson.evidence == (reward.id,)
    assert (reward.value, reward.accepted, reward.measure) == (0.02, True, made.measure) and reward.low == pytest.approx(0.019)
    assert reward.decision["learning_rate"] == 0.01 and reward.instead_of["learning_rate"] == 0.002
    assert reward.figures["quality"] == pytest.approx(0.72) and reward.figures["seconds"] == 5.0
    assert lesson.polarity == "positive" and lesson.subject == "dnn against dnn" and lesson.data_hash == "h1"
    for record in (decision, reward, lesson):
        assert (record.agent, record.dataset, record.task, record.mlflow_run) == ("AutoTrain", "shop", "ctr", "run7")


@pytest.mark.parametrize(
    ("outcome", "polarity"),
    [
        (planted(0.02), "positive"),
        (planted(-0.02), "negative"),
        (planted(0.0005), "neutral"),
        (Outcome("failed", reason="NaN"), "negative"),
    ],
)
def test_a_lesson_says_as_much_as_was_shown(tmp_path: Path, outcome: Outcome, polarity: str) -> None:
    memory = store(tmp_path)
    made = agent(tmp_path, memory)
    made.learn(turn(made, outcome))
    (lesson,) = memory.all("lesson")
    assert lesson.outcome == polarity


def test_what_was_refused_is_no_lesson(tmp_path: Path) -> None:
    memory = store(tmp_path)
    made = agent(tmp_path, memory)
    made.learn(turn(made, Outcome("refused", reason="no sandbox")))
    assert memory.all("lesson") == [] and memory.all("reward")[0].outcome == "unmeasured"


def test_a_turn_that_is_learned_again_changes_nothing(tmp_path: Path) -> None:
    memory = store(tmp_path)
    made = agent(tmp_path, memory)
    taken = turn(made, planted(0.02))
    for _ in range(2):
        made.learn(taken)
    time.sleep(1.1)  # records tell their second
    agent(tmp_path, memory).learn(taken)
    assert len(memory) == 3 and all(len(memory.log.revisions(r.id)) == 1 for r in memory.all())
    made.learn(turn(made, planted(0.01), taken.state))  # the same decision came to something else: another turn
    made.learn(turn(made, planted(0.02), taken.state, learning_rate=0.011))
    assert len(memory.all("reward")) == 3


def test_what_was_kept_stands_from_then_on_and_the_best_of_it_remains(tmp_path: Path) -> None:
    made = agent(tmp_path)
    start = made.observe()
    assert start.incumbent["model"] == "dnn" and start.incumbent["learning_rate"] == 0.002
    made.learn(turn(made, planted(-0.02), learning_rate=0.003))
    assert made.observe().incumbent == start.incumbent
    made.learn(turn(made, planted(0.01), start, learning_rate=0.006))
    made.learn(turn(made, planted(0.04), start, learning_rate=0.004))
    made.learn(turn(made, planted(0.02), start, learning_rate=0.005))  # of another process, which had seen neither
    assert made.observe().incumbent["learning_rate"] == 0.004


def test_turns_on_other_data_are_told_apart(tmp_path: Path) -> None:
    memory = store(tmp_path)
    here, other = agent(tmp_path, memory), agent(tmp_path, memory, Data(data_hash="h2"))
    other.learn(turn(other, planted(0.02)))
    other.learn(turn(other, planted(-0.02), learning_rate=0.003))
    other.learn(turn(other, planted(0.0005), learning_rate=0.004))
    other.learn(turn(other, planted(0.04), learning_rate=0.005))
    state = here.observe()
    assert [t.values["learning_rate"] for t in state.elsewhere] == [0.005, 0.01, 0.004]  # those that gained, the best first
    assert state.past == () and state.incumbent["learning_rate"] == 0.002
    assert len(other.observe().past) == 4 and other.observe().elsewhere == ()


def test_of_other_agents_and_tasks_no_turn_is_known(tmp_path: Path) -> None:
    memory = store(tmp_path)
    shared: dict[str, Any] = {"value": 1.0, "accepted": True, "reason": "", "data_hash": "h1", "decision": {"model": "fm"}}
    made = agent(tmp_path, memory)
    memory.add(RewardRecord(id="a", agent="AutoFeature", task="ctr", measure=made.measure, **shared))
    memory.add(RewardRecord(id="b", agent="AutoTrain", task="items", measure=made.measure, **shared))
    memory.add(RewardRecord(id="c", agent="AutoTrain", task="ctr", measure="nDCG gained", **shared))
    assert made.observe().past == () and made.observe().elsewhere == () and made.observe().incumbent["model"] == "dnn"


def test_a_turn_that_fails_is_learned_and_not_taken_again(tmp_path: Path) -> None:
    usual = {"embedding_dim": 16, "dropout": 0.0, "hidden_units": [400, 400]}
    told = Told(lambda job, code: 0.5 if job["hyper"] == usual else "failed")
    made = agent(tmp_path, told=told)
    first, second = take_turn(made), take_turn(made)
    assert first.outcome.status == second.outcome.status == "failed" and first.feedback == Feedback(
        None, False, first.outcome.reason
    )
    assert first.proposal.decision != second.proposal.decision
    assert [past.reward for past in made.observe().past] == [None, None]


TURNS = """
import sys
import time
from pathlib import Path
from autotrain_worlds import laboratory, store
from agents.autotrain.agent import search_agent
from agents.contract import take_turn

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
agent = search_agent(laboratory(folder), store(folder), incumbent="dnn", most_epochs=3, seed=seed)
for _ in range(3):
    take_turn(agent)
"""


@pytest.mark.slow
def test_two_processes_take_turns_in_one_memory(tmp_path: Path) -> None:
    store(tmp_path)
    script = [sys.executable, "-c", TURNS, str(tmp_path)]
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "", "OMP_NUM_THREADS": "1"}
    both = [subprocess.Popen([*script, seed], env=path, cwd=ROOT, stderr=subprocess.PIPE, text=True) for seed in ("1", "2")]
    for process in both:
        assert process.wait(120) == 0, process.stderr.read() if process.stderr else ""
    memory = store(tmp_path)
    assert len(memory.all("reward")) == len(memory.all("lesson")) == len(memory.all("decision")) == 6
    assert len(agent(tmp_path, memory).observe().past) == 6
