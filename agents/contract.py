"""What an agent is: it observes, decides, acts, is told what came of it, and learns; and it can be measured alone.

A module is an agent only if it (1) closes that loop, so that what it learned reaches its next decision, (2) can be evaluated by
its own measure while all others are frozen, and (3) decides in a space of more than one legal point that can be drawn from and
that refuses what is illegal. `agents.promotion` checks the three; what fails one of them is a plain component.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from agents.errors import AgentError

S = TypeVar("S")
D = TypeVar("D")

Status = Literal["done", "failed", "refused"]


class IllegalDecision(AgentError):
    """A decision that its space refuses: the fault of whoever decided; the same decision will be refused again."""


class Space(Protocol[D]):
    """Where an agent decides: in a state, the decisions that are legal."""

    def sample(self, random: random.Random) -> D:
        """A legal decision, drawn at random; every legal one may come."""
        ...

    def faults(self, decision: D) -> Sequence[str]:
        """Why the decision is not legal, a sentence each; none where it is."""
        ...


@dataclass(frozen=True)
class Measured:
    """A quantity with the interval that holds it, in its own unit: `low` <= `value` <= `high`."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Proposal(Generic[D]):
    """A decision that was not taken yet. `by` names what made it (a search, an engine, a person), `relied_on` the ids of lessons
    that it was made with."""

    decision: D
    rationale: str
    by: str
    relied_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of acting. `measures` are by name; `cost` is what it took or will take, with units in the names; `evidence` names
    jobs, runs and records where it can be looked up. Without measures, `reason` says why there are none. `result` is whatever
    else the agent itself needs to learn from it."""

    status: Status
    measures: Mapping[str, Measured] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    reason: str = ""
    result: object = None


@dataclass(frozen=True)
class Feedback:
    """The inner reward, in the unit of the agent's measure (None where nothing was measured), and whether the change is kept."""

    reward: Measured | None
    accepted: bool
    reason: str


@dataclass(frozen=True)
class Turn(Generic[S, D]):
    """One time around the loop."""

    state: S
    proposal: Proposal[D]
    outcome: Outcome
    feedback: Feedback


class Agent(Protocol[S, D]):
    """`name` is its name in memory, `measure` that of its inner measure with the unit ("AUC gained on valid")."""

    @property
    def name(self) -> str: ...

    @property
    def measure(self) -> str: ...

    def observe(self) -> S:
        """What it knows before it decides, what it has learned included."""
        ...

    def space(self, state: S) -> Space[D]:
        """The decisions that are legal in that state."""
        ...

    def decide(self, state: S) -> Proposal[D]:
        """The decision that it would take."""
        ...

    def act(self, state: S, proposal: Proposal[D]) -> Outcome:
        """Tries a legal decision and changes nothing that lasts. A failure is an outcome. Raises `agents.errors.Stopped`."""
        ...

    def judge(self, state: S, outcome: Outcome) -> Feedback:
        """The reward of an outcome by the agent's own measure: the same for the same arguments, whatever other agents do."""
        ...

    def learn(self, turn: Turn[S, D]) -> None:
        """Keeps a turn, so that the next decision knows of it; a turn that is learned twice counts once."""
        ...


def take_turn(agent: Agent[S, D]) -> Turn[S, D]:
    """Once around the loop. Raises `IllegalDecision` before anything is tried, and what `act` raises."""
    state = agent.observe()
    proposal = agent.decide(state)
    if faults := agent.space(state).faults(proposal.decision):
        raise IllegalDecision(f"{agent.name} may not decide so: {'; '.join(faults)}")
    outcome = agent.act(state, proposal)
    turn = Turn(state, proposal, outcome, agent.judge(state, outcome))
    agent.learn(turn)
    return turn
