"""Learning: a turn becomes a decision, its reward and a lesson in memory, and is read from there before the next decision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agents.autotrain.agent.recipe import Values, in_words
from agents.autotrain.agent.state import Believed, PastTurn, TrainingState
from agents.autotrain.spec import TaskKind
from agents.contract import Turn
from memory.beliefs import Belief, beliefs_near
from memory.narrowing import Only
from memory.records import AnyRecord, DecisionRecord, LessonRecord, Polarity, RewardRecord
from memory.store import MemoryStore

NEWEST = 500  # turns of the task that are looked at; a search needs no more
BELIEFS = 40  # nearest to a model of the task


@dataclass(frozen=True)
class Diary:
    """What one agent keeps and reads of its turns on one data set. `mlflow_run` is where they are tracked."""

    memory: MemoryStore
    agent: str
    measure: str
    dataset: str
    data_hash: str
    task: TaskKind
    mlflow_run: str = ""

    def read(self, start: Values) -> TrainingState:
        """What is known before a decision. `start` stands until a turn on this data was accepted."""
        found = self.memory.all("reward", Only(agent=self.agent, task=self.task), NEWEST)
        rewards = [r for r in found if isinstance(r, RewardRecord) and r.measure == self.measure]
        here = [_past(r) for r in rewards if r.data_hash == self.data_hash]
        elsewhere = [_past(r) for r in reversed(rewards) if r.data_hash != self.data_hash and (r.value or 0.0) > 0]
        elsewhere.sort(key=lambda turn: (turn.accepted, turn.reward or 0.0), reverse=True)
        kept = max((turn for turn in here if turn.accepted), key=lambda turn: turn.figures.get("quality", 0.0), default=None)
        return TrainingState(
            dataset=self.dataset,
            data_hash=self.data_hash,
            task=self.task,
            incumbent=kept.values if kept else start,
            past=tuple(here),
            elsewhere=tuple(elsewhere),
            beliefs=tuple(self._believed()),
        )

    def write(self, turn: Turn[TrainingState, Any], values: Values) -> None:
        """Keeps a turn; one that is kept already changes nothing."""
        name = _name_of(self.data_hash, turn, values)
        if self.memory.get(f"reward-{name}") is None:
            self.memory.add(*self._records(name, turn, values))

    def _records(self, name: str, turn: Turn[TrainingState, Any], values: Values) -> Iterator[AnyRecord]:
        shared: dict[str, Any] = {"agent": self.agent, "dataset": self.dataset, "task": self.task, "mlflow_run": self.mlflow_run}
        outcome, feedback, instead = turn.outcome, turn.feedback, turn.state.incumbent
        reward = feedback.reward
        yield DecisionRecord(
            id=f"decision-{name}",
            state=f"{self.task} on {self.dataset} after {len(turn.state.past)} turns, with {in_words(instead)}",
            alternatives=(f"to keep {in_words(instead)}",),
            choice=in_words(values),
            rationale=f"{turn.proposal.rationale} ({turn.proposal.by})",
            relied_on=turn.proposal.relied_on,
            **shared,
        )
        yield RewardRecord(
            id=f"reward-{name}",
            parents=(f"decision-{name}",),
            measure=self.measure,
            **({"value": reward.value, "low": reward.low, "high": reward.high} if reward else {}),
            accepted=feedback.accepted,
            reason=feedback.reason,
            decision=dict(values),
            instead_of=dict(instead),
            figures={**{n: m.value for n, m in outcome.measures.items()}, **outcome.cost},
            data_hash=self.data_hash,
            **shared,
        )
        if outcome.status != "refused":  # of which the decision is innocent
            yield self._lesson(name, turn, values, shared)

    def _lesson(self, name: str, turn: Turn[TrainingState, Any], values: Values, shared: dict[str, Any]) -> LessonRecord:
        subject = f"{_subject(values)} against {_model(turn.state.incumbent)}"
        polarity, said = _says(turn)
        return LessonRecord(
            id=f"lesson-{name}",
            parents=(f"reward-{name}",),
            subject=subject,
            claim=f"{subject}: {said}",
            polarity=polarity,
            reason=f"{in_words(values)}: {turn.feedback.reason}",
            evidence=(f"reward-{name}",),
            data_hash=self.data_hash,
            **shared,
        )

    def _believed(self) -> Sequence[Believed]:
        found = beliefs_near(self.memory, f"{self.task} model with blocks", BELIEFS, only=Only(task=self.task))
        return sorted((self._as_known(belief) for belief in found), key=lambda known: (known.subject, not known.here))

    def _as_known(self, belief: Belief) -> Believed:
        newest = belief.newest
        here = newest.dataset == self.dataset
        return Believed(newest.subject, belief.in_words, belief.strength, here, tuple(lesson.id for lesson in belief.lessons))


def _past(record: RewardRecord) -> PastTurn:
    lesson = record.id.replace("reward-", "lesson-", 1)
    return PastTurn(record.decision, record.value, record.accepted, record.figures, record.dataset, lesson)


def _name_of(data_hash: str, turn: Turn[TrainingState, Any], values: Values) -> str:
    """Equal for the same turn, and for no other."""
    measures = {name: asdict(measured) for name, measured in turn.outcome.measures.items()}
    parts = [data_hash, dict(values), dict(turn.state.incumbent), turn.outcome.status, turn.outcome.reason, measures]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _says(turn: Turn[TrainingState, Any]) -> tuple[Polarity, str]:
    reward = turn.feedback.reward
    if reward is None:
        return "negative", "it cannot be trained"
    if reward.low > 0:
        return "positive", "better"
    return ("negative", "worse") if reward.high < 0 else ("neutral", "no difference shown")


def _subject(values: Values) -> str:
    return f"a model with {values['blocks']}" if values.get("blocks") else _model(values)


def _model(values: Values) -> str:
    return str(values.get("model") or (f"a model with {values['blocks']}" if values.get("blocks") else "a written model"))
