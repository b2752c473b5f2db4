"""Whether a module is an agent: the three checks of `agents.contract`, each saying in words what it found at fault.

They look at an agent in a small world of its own, whose turns are planted, so that next to nothing is tried. A check that could
see nothing, such as of a space for which no illegal decision was given, says so as a fault.
They do not see a clock that was taken by name from `datetime`, unless a few milliseconds change what it says.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from agents.contract import Agent, Outcome, Proposal, Turn

S = TypeVar("S")
D = TypeVar("D")

TURNS = 12  # that are learned before a decision must show it: more than a search draws at random to begin with
DRAWN = 64  # decisions, by which a space is known
LATER_S = 86_400.0 * 400


class World(Protocol[S, D]):
    """Where one agent stands alone. Worlds that were made alike are alike, and so are the agents in them, chance included."""

    def agent(self) -> Agent[S, D]:
        """An agent that begins now: it knows what was learned in this world, whoever learned it."""
        ...

    def lasting(self) -> object:
        """All that lasts here, to be compared by `==`; not what is kept only to save time."""
        ...

    def outcome(self, decision: D, good: bool) -> Outcome:
        """What could come of the decision: a gain that nobody doubts, or such a loss."""
        ...

    def failure(self) -> Outcome:
        """What acting comes to that fails."""
        ...

    def illegal(self, state: S) -> Sequence[D]:
        """Decisions that the space must refuse, of each kind there is."""
        ...

    def disturb(self) -> None:
        """Other agents decide, learn and change what is theirs."""
        ...


Worlds: TypeAlias = Callable[[], World[S, D]]


def promotion_faults(worlds: Worlds[S, D]) -> list[str]:
    """Why the module is no agent, a sentence each; none for an agent."""
    return [*open_loop(worlds), *not_alone(worlds), *bad_space(worlds)]


def open_loop(worlds: Worlds[S, D]) -> list[str]:
    """What it learns must last, reach what a new agent observes, change what it decides, and count once."""
    return [*_nothing_is_kept(worlds), *_decides_regardless(worlds), *_counts_twice(worlds)]


def not_alone(worlds: Worlds[S, D]) -> list[str]:
    """Its reward must follow from state and outcome alone, tell good from bad, and come before anything lasts."""
    return [*_reward_depends(worlds()), *_blind_reward(worlds()), *_changes_early(worlds())]


def bad_space(worlds: Worlds[S, D]) -> list[str]:
    """More than one legal point, a sampler that draws legal ones only, a validator that refuses, a decision that is legal."""
    world = worlds()
    agent = world.agent()
    state = agent.observe()
    space = agent.space(state)
    drawn = _drawn(agent, state)
    legal = [d for d in drawn if not space.faults(d)]
    found = [f"the sampler draws what is illegal: {'; '.join(space.faults(d))}" for d in drawn if space.faults(d)][:1]
    if not any(d != legal[0] for d in legal):
        found.append(f"there is no choice: {DRAWN} draws have {'one legal point' if legal else 'no legal point'}")
    if drawn != _drawn(agent, state):
        found.append("the sampler draws by other chance than what it is given")
    illegal = world.illegal(state)
    found += [] if illegal else ["no illegal decision was given, so that nothing is known of the validator"]
    found += [f"the validator accepts what is illegal: {d!r}"[:300] for d in illegal if not "".join(space.faults(d)).strip()]
    return found + _decides_illegally(worlds())


def _nothing_is_kept(worlds: Worlds[S, D]) -> Iterator[str]:
    """By one turn, whose feedback is good in one world and bad in the other."""
    states = []
    for good in (True, False):
        world = worlds()
        agent = world.agent()
        before, lasted = agent.observe(), world.lasting()
        agent.learn(_planted(world, agent, before, _drawn(agent, before)[0], good))
        if world.lasting() == lasted:
            yield "what it learns is forgotten: nothing lasting has changed"
            return
        states.append(world.agent().observe())
        if states[-1] == before:
            yield "what it learned does not reach what a new agent observes"
            return
    if states[0] == states[1]:
        yield "feedback does not reach what it observes: a gain and a loss leave the same state"


def _decides_regardless(worlds: Worlds[S, D]) -> Iterator[str]:
    """By the decisions after the same turns: twice where they went alike, once where all went the other way round."""
    one, same, other = (_after(worlds(), first_good) for first_good in (True, True, False))
    if one != same:
        yield "it decides otherwise in a world that is alike, so that nothing can be said of what it learned: give it a seed"
    elif one == other:
        yield f"it decides the same whatever it learned: {TURNS} turns that went the other way round change nothing"


def _after(world: World[S, D], first_good: bool) -> D:
    """What is decided after turns of which every other one went well."""
    agent = world.agent()
    state = agent.observe()
    for number, decision in enumerate(_drawn(agent, state)[:TURNS]):
        agent.learn(_planted(world, agent, state, decision, (number % 2 == 0) == first_good))
    fresh = world.agent()
    return fresh.decide(fresh.observe()).decision


def _counts_twice(worlds: Worlds[S, D]) -> Iterator[str]:
    """By the same turn, learned once, and learned again by the same agent and by a new one."""
    world = worlds()
    agent = world.agent()
    state = agent.observe()
    turn = _planted(world, agent, state, _drawn(agent, state)[0], True)
    agent.learn(turn)
    once = world.lasting(), world.agent().observe()
    for again in (agent, world.agent()):
        again.learn(turn)
        if (world.lasting(), world.agent().observe()) != once:
            yield "a turn that is learned twice counts twice"
            return


def _reward_depends(world: World[S, D]) -> Iterator[str]:
    agent = world.agent()
    state = agent.observe()
    outcomes = _outcomes(world, agent, state)
    first = [agent.judge(state, outcome) for outcome in outcomes]
    for what, changed in (("global randomness", _other_chance), ("the clock", _later)):
        with changed():
            if [agent.judge(state, outcome) for outcome in outcomes] != first:
                yield f"its reward depends on {what}"
    if [agent.judge(state, outcome) for outcome in reversed(outcomes)] != first[::-1]:
        yield "its reward depends on what it judged before"
    undisturbed = world.lasting()
    world.disturb()
    again = [agent.judge(state, outcome) for outcome in outcomes]
    if again != first or [world.agent().judge(state, outcome) for outcome in outcomes] != first:
        yield "its reward depends on other agents"
    if world.lasting() == undisturbed:
        yield "nothing was disturbed, so that nothing is known of what its reward depends on"


def _blind_reward(world: World[S, D]) -> Iterator[str]:
    agent = world.agent()
    state = agent.observe()
    good, bad, failed = (agent.judge(state, outcome) for outcome in _outcomes(world, agent, state))
    if good.reward is None or bad.reward is None or not good.reward.value > bad.reward.value:
        yield "its reward does not tell a gain from a loss"
    if bad.accepted or failed.accepted:
        yield f"it keeps a change that {'lost' if bad.accepted else 'failed'}"
    if failed.reward is not None:
        yield "it has a reward where nothing was measured"


def _changes_early(world: World[S, D]) -> Iterator[str]:
    """By a turn that is taken up to where it would be learned, with a decision of its own."""
    agent, lasted = world.agent(), world.lasting()
    state = agent.observe()
    proposal = agent.decide(state)
    if agent.space(state).faults(proposal.decision):
        return  # which `bad_space` tells of
    if world.lasting() != lasted:
        yield "observing or deciding changes what lasts"
        return
    outcome = agent.act(state, proposal)
    if world.lasting() != lasted or world.agent().observe() != state:
        yield "acting changes something that lasts before it is learned"
        return
    agent.judge(state, outcome)
    if world.lasting() != lasted:
        yield "judging changes what lasts"


def _decides_illegally(world: World[S, D]) -> list[str]:
    """At first, and as turns are learned."""
    agent = world.agent()
    for number in range(TURNS):
        state = agent.observe()
        proposal = agent.decide(state)
        if faults := agent.space(state).faults(proposal.decision):
            return [f"after {number} turns it decides what is illegal: {'; '.join(faults)}"]
        agent.learn(_planted(world, agent, state, proposal.decision, number % 2 == 0))
    return []


def _outcomes(world: World[S, D], agent: Agent[S, D], state: S) -> tuple[Outcome, Outcome, Outcome]:
    decision = _drawn(agent, state)[0]
    return world.outcome(decision, True), world.outcome(decision, False), world.failure()


def _planted(world: World[S, D], agent: Agent[S, D], state: S, decision: D, good: bool) -> Turn[S, D]:
    """A turn that nobody took, judged by the agent."""
    outcome = world.outcome(decision, good)
    return Turn(state, Proposal(decision, "planted", "a check"), outcome, agent.judge(state, outcome))


def _drawn(agent: Agent[S, D], state: S) -> list[D]:
    """The same decisions in worlds that are alike."""
    chance, space = random.Random(0), agent.space(state)
    return [space.sample(chance) for _ in range(DRAWN)]


@contextmanager
def _other_chance() -> Iterator[None]:
    """Global randomness stands elsewhere meanwhile."""
    python, array = random.getstate(), np.random.get_state()
    random.seed(time.monotonic_ns())
    np.random.seed(time.monotonic_ns() % 2**32)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


@contextmanager
def _later() -> Iterator[None]:
    """The clock is more than a year later meanwhile, and time passes."""
    time.sleep(0.003)
    names: tuple[str, ...] = ("time", "monotonic", "perf_counter", "process_time")
    clocks: dict[str, Any] = {name: getattr(time, name) for name in names}
    clocks |= {f"{name}_ns": getattr(time, f"{name}_ns") for name in names}
    try:
        for name, clock in clocks.items():
            setattr(time, name, _ahead(clock, LATER_S * 1e9 if name.endswith("_ns") else LATER_S))
        yield
    finally:
        for name, clock in clocks.items():
            setattr(time, name, clock)


def _ahead(clock: Callable[[], Any], by: float) -> Callable[[], Any]:
    return lambda: clock() + type(clock())(by)
