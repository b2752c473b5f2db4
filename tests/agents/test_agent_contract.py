"""What every agent passes, and what is no agent: planted modules that fail one check each, and are refused for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from autotrain_worlds import AutoTrainWorld
from feature_worlds import FeatureWorld

from agents.contract import Feedback, IllegalDecision, Measured, Outcome, Proposal, Turn, take_turn
from agents.promotion import World, bad_space, not_alone, open_loop, promotion_faults

# Every agent, by its name: a small world in a folder.
WORLDS: Mapping[str, Callable[[Path], World[Any, Any]]] = {
    "AutoTrain by search": lambda folder: AutoTrainWorld(folder, "search"),
    "AutoTrain with code": lambda folder: AutoTrainWorld(folder, "open"),
    "AutoFeature": lambda folder: FeatureWorld(folder, folder.parent / "trained"),
}


@pytest.mark.parametrize("name", WORLDS)
def test_it_is_an_agent(name: str, tmp_path: Path) -> None:
    numbers = count()
    assert promotion_faults(lambda: WORLDS[name](tmp_path / f"world{next(numbers)}")) == []


@dataclass
class Lever:
    """What lasts in a world of levers: what each earned, and what others have."""

    earned: list[tuple[str, float]] = field(default_factory=list)
    others: float = 0.0
    tried: list[str] = field(default_factory=list)


LEVERS = ("a", "b", "c")


class Levers:
    """A space of levers."""

    def sample(self, random: random.Random) -> str:
        return random.choice(LEVERS)

    def faults(self, decision: str) -> Sequence[str]:
        return [] if decision in LEVERS else [f"there is no lever {decision}"]


State = Mapping[str, float]


class Bandit:
    """An agent: it pulls the lever that earned most so far, each turn once counted. The planted ones change one of its parts."""

    name, measure = "Bandit", "coins"

    def __init__(self, world: Lever) -> None:
        self.world = world

    def observe(self) -> State:
        sums = dict.fromkeys(LEVERS, 0.0)
        for lever, coins in self.world.earned:
            sums[lever] += coins
        return sums

    def space(self, state: State) -> Levers:
        return Levers()

    def decide(self, state: State) -> Proposal[str]:
        return Proposal(max(sorted(state), key=lambda lever: state[lever]), "it earned most", "greed")

    def act(self, state: State, proposal: Proposal[str]) -> Outcome:
        return outcome(1.0)

    def judge(self, state: State, outcome: Outcome) -> Feedback:
        coins = outcome.measures.get("coins")
        return Feedback(coins, coins is not None and coins.low > 0, "counted")

    def learn(self, turn: Turn[State, str]) -> None:
        """The number of turns that the state tells of says which turn this is."""
        reward = turn.feedback.reward
        seen = (turn.proposal.decision, reward.value if reward else 0.0)
        if seen not in self.world.earned:
            self.world.earned.append(seen)


def outcome(coins: float) -> Outcome:
    return Outcome("done", {"coins": Measured(coins, coins - 0.5, coins + 0.5)})


class LeverWorld:
    """A world of levers with an agent of some class. `illegal` are the decisions that its space must refuse."""

    def __init__(self, kind: type[Bandit], illegal: Sequence[str] = ("z",), disturbs: bool = True) -> None:
        self.lever, self.kind, self._illegal, self._disturbs = Lever(), kind, illegal, disturbs

    def agent(self) -> Bandit:
        return self.kind(self.lever)

    def lasting(self) -> object:
        return list(self.lever.earned), self.lever.others, list(self.lever.tried)

    def outcome(self, decision: str, good: bool) -> Outcome:
        return outcome(1.0 if good else -1.0)

    def failure(self) -> Outcome:
        return Outcome("failed", reason="the lever broke")

    def illegal(self, state: State) -> Sequence[str]:
        return self._illegal

    def disturb(self) -> None:
        self.lever.others += 1.0 if self._disturbs else 0.0


def test_a_bandit_is_an_agent() -> None:
    assert promotion_faults(lambda: LeverWorld(Bandit)) == []


class Forgets(Bandit):
    def learn(self, turn: Turn[State, str]) -> None:
        pass


class RemembersAlone(Bandit):
    """What it learned is gone with it."""

    def __init__(self, world: Lever) -> None:
        super().__init__(replace(world, earned=list(world.earned)))


class NotesTurnsAlone(Bandit):
    """It knows which levers were pulled, not what that came to."""

    def learn(self, turn: Turn[State, str]) -> None:
        super().learn(replace(turn, feedback=Feedback(Measured(1.0, 1.0, 1.0), True, "")))


class WritesWhatNobodyReads(Bandit):
    def observe(self) -> State:
        return dict.fromkeys(LEVERS, 0.0)


class Stubborn(Bandit):
    def decide(self, state: State) -> Proposal[str]:
        return Proposal("b", "always", "habit")


class DiceOfItsOwn(Bandit):
    """Its decisions are the same in worlds that are alike, and hang on nothing it learned."""

    def decide(self, state: State) -> Proposal[str]:
        return Proposal(Levers().sample(random.Random(4)), "drawn", "chance")


class DiceOfAll(Bandit):
    def decide(self, state: State) -> Proposal[str]:
        return Proposal(f"{random.random()}", "drawn", "chance")


class CountsTwice(Bandit):
    def learn(self, turn: Turn[State, str]) -> None:
        reward = turn.feedback.reward
        self.world.earned.append((turn.proposal.decision, reward.value if reward else 0.0))


class CountsTwiceAfterItsRestart(CountsTwice):
    """Each agent by itself counts once."""

    def __init__(self, world: Lever) -> None:
        super().__init__(world)
        self.known: list[Turn[State, str]] = []

    def learn(self, turn: Turn[State, str]) -> None:
        if turn not in self.known:
            self.known.append(turn)
            super().learn(turn)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Forgets, "forgotten"),
        (RemembersAlone, "forgotten"),
        (WritesWhatNobodyReads, "does not reach what a new agent observes"),
        (NotesTurnsAlone, "a gain and a loss leave the same state"),
        (Stubborn, "decides the same whatever it learned"),
        (DiceOfItsOwn, "decides the same whatever it learned"),
        (DiceOfAll, "give it a seed"),
        (CountsTwice, "counts twice"),
        (CountsTwiceAfterItsRestart, "counts twice"),
    ],
)
def test_an_open_loop_is_refused(kind: type[Bandit], said: str) -> None:
    assert any(said in fault for fault in open_loop(lambda: LeverWorld(kind)))


def judging(reward: Callable[[Bandit, float], float]) -> type[Bandit]:
    """A bandit that judges otherwise."""

    class Judges(Bandit):
        judged = 0

        def judge(self, state: State, outcome: Outcome) -> Feedback:
            self.judged += 1
            coins = outcome.measures.get("coins")
            if coins is None:
                return Feedback(None, False, "")
            value = reward(self, coins.value)
            return Feedback(Measured(value, value, value), coins.value > 0, "")

    return Judges


def by_the_clock(agent: Bandit, coins: float) -> float:
    import time

    return coins + time.time() * 1e-9


def by_the_day(agent: Bandit, coins: float) -> float:
    import time

    return coins + time.time() // 86_400


class KeepsLosses(Bandit):
    def judge(self, state: State, outcome: Outcome) -> Feedback:
        return replace(super().judge(state, outcome), accepted=outcome.status == "done")


class KeepsFailures(Bandit):
    def judge(self, state: State, outcome: Outcome) -> Feedback:
        said = super().judge(state, outcome)
        return replace(said, accepted=said.accepted or outcome.status == "failed")


class RewardsFailures(Bandit):
    def judge(self, state: State, outcome: Outcome) -> Feedback:
        said = super().judge(state, outcome)
        return said if said.reward else replace(said, reward=Measured(0.0, 0.0, 0.0))


class LearnsAsItActs(Bandit):
    def act(self, state: State, proposal: Proposal[str]) -> Outcome:
        self.world.earned.append((proposal.decision, 1.0))
        return outcome(1.0)


class LeavesTraces(Bandit):
    def act(self, state: State, proposal: Proposal[str]) -> Outcome:
        self.world.tried.append(proposal.decision)
        return outcome(1.0)


class WritesAsItDecides(Bandit):
    def decide(self, state: State) -> Proposal[str]:
        self.world.tried.append("thought of")
        return super().decide(state)


class WritesAsItJudges(Bandit):
    def judge(self, state: State, outcome: Outcome) -> Feedback:
        self.world.tried.append("judged")
        return super().judge(state, outcome)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (judging(lambda agent, coins: coins + agent.world.others), "on other agents"),
        (judging(lambda agent, coins: coins + random.random() * 1e-6), "on global randomness"),
        (judging(lambda agent, coins: coins + np.random.random() * 1e-6), "on global randomness"),
        (judging(by_the_clock), "on the clock"),
        (judging(by_the_day), "on the clock"),
        (judging(lambda agent, coins: coins + datetime.now().microsecond * 1e-9), "on the clock"),
        (judging(lambda agent, coins: coins + agent.judged), "on what it judged before"),  # type: ignore[attr-defined]
        (judging(lambda agent, coins: 1.0), "tell a gain from a loss"),
        (judging(lambda agent, coins: -coins), "tell a gain from a loss"),
        (KeepsLosses, "keeps a change that lost"),
        (KeepsFailures, "keeps a change that failed"),
        (RewardsFailures, "where nothing was measured"),
        (LearnsAsItActs, "acting changes"),
        (LeavesTraces, "acting changes"),
        (WritesAsItDecides, "deciding changes"),
        (WritesAsItJudges, "judging changes"),
    ],
)
def test_what_cannot_be_evaluated_alone_is_refused(kind: type[Bandit], said: str) -> None:
    assert any(said in fault for fault in not_alone(lambda: LeverWorld(kind)))


def test_a_world_that_cannot_be_disturbed_shows_nothing() -> None:
    assert any("nothing was disturbed" in fault for fault in not_alone(lambda: LeverWorld(Bandit, disturbs=False)))


def deciding_in(space: Levers) -> type[Bandit]:
    class Decides(Bandit):
        def space(self, state: State) -> Levers:
            return space

    return Decides


class OneLever(Levers):
    def sample(self, random: random.Random) -> str:
        return "a"

    def faults(self, decision: str) -> Sequence[str]:
        return [] if decision == "a" else ["there is one lever"]


class DrawsTooFar(Levers):
    def sample(self, random: random.Random) -> str:
        return random.choice((*LEVERS, "z"))


class DrawsByOtherChance(Levers):
    def sample(self, random: random.Random) -> str:
        return LEVERS[int(np.random.random() * 3)]


class AcceptsAll(Levers):
    def faults(self, decision: str) -> Sequence[str]:
        return []


class RefusesWithoutAWord(Levers):
    def faults(self, decision: str) -> Sequence[str]:
        return [] if decision in LEVERS else [" "]


class DecidesIllegally(Bandit):
    def decide(self, state: State) -> Proposal[str]:
        return Proposal("z", "out of bounds", "greed")


class DecidesIllegallyLater(Bandit):
    def decide(self, state: State) -> Proposal[str]:
        return Proposal("z", "", "") if any(state.values()) else super().decide(state)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (deciding_in(OneLever()), "there is no choice"),
        (deciding_in(DrawsTooFar()), "draws what is illegal"),
        (deciding_in(DrawsByOtherChance()), "other chance"),
        (deciding_in(AcceptsAll()), "accepts what is illegal"),
        (deciding_in(RefusesWithoutAWord()), "accepts what is illegal"),
        (DecidesIllegally, "after 0 turns it decides what is illegal"),
        (DecidesIllegallyLater, "after 1 turns it decides what is illegal"),
    ],
)
def test_a_bad_space_is_refused(kind: type[Bandit], said: str) -> None:
    assert any(said in fault for fault in bad_space(lambda: LeverWorld(kind)))


def test_without_illegal_decisions_nothing_is_known_of_a_validator() -> None:
    assert any("no illegal decision" in fault for fault in bad_space(lambda: LeverWorld(Bandit, illegal=())))


def test_an_illegal_decision_is_refused_before_anything_is_tried() -> None:
    class Tries(DecidesIllegally):
        def act(self, state: State, proposal: Proposal[str]) -> Outcome:
            raise AssertionError("it was tried")

        def learn(self, turn: Turn[State, str]) -> None:
            raise AssertionError("it was learned")

    with pytest.raises(IllegalDecision, match="Bandit may not decide so: there is no lever z"):
        take_turn(Tries(Lever()))


def test_a_turn_closes_the_loop() -> None:
    world = Lever()
    turn = take_turn(Bandit(world))
    assert turn.feedback.accepted and world.earned == [(turn.proposal.decision, 1.0)]
    assert Bandit(world).observe() != turn.state
