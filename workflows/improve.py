"""Turns of one agent as a graph: observe, decide, act, judge, learn, and again until the turns are taken.

The graph knows no agent by name. A decision that its space refuses ends it before anything is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from agents.contract import Agent, Feedback, IllegalDecision, Outcome, Proposal, Turn

NODES = 5  # that a turn passes


class Loop(TypedDict, total=False):
    """Where the loop stands: turns taken so far, and the parts of the one in hand."""

    taken: int
    observed: Any
    proposal: Proposal[Any]
    outcome: Outcome
    feedback: Feedback


@dataclass(frozen=True)
class Improvement:
    """An agent and how many turns it takes. `keep` is told of each once it was learned."""

    agent: Agent[Any, Any]
    turns: int
    keep: Callable[[int, Turn[Any, Any]], None] = lambda number, turn: None
    stop: Callable[[], bool] = lambda: False


def observe(state: Loop, runtime: Runtime[Improvement]) -> Loop:
    return {"observed": runtime.context.agent.observe()}


def decide(state: Loop, runtime: Runtime[Improvement]) -> Loop:
    agent = runtime.context.agent
    proposal = agent.decide(state["observed"])
    if faults := agent.space(state["observed"]).faults(proposal.decision):
        raise IllegalDecision(f"{agent.name} may not decide so: {'; '.join(faults)}")
    return {"proposal": proposal}


def act(state: Loop, runtime: Runtime[Improvement]) -> Loop:
    return {"outcome": runtime.context.agent.act(state["observed"], state["proposal"])}


def judge(state: Loop, runtime: Runtime[Improvement]) -> Loop:
    return {"feedback": runtime.context.agent.judge(state["observed"], state["outcome"])}


def learn(state: Loop, runtime: Runtime[Improvement]) -> Loop:
    turn = Turn(state["observed"], state["proposal"], state["outcome"], state["feedback"])
    runtime.context.agent.learn(turn)
    taken = state.get("taken", 0) + 1
    runtime.context.keep(taken, turn)
    return {"taken": taken}


def build() -> StateGraph[Loop, Improvement]:
    """The graph, not yet compiled."""
    graph: StateGraph[Loop, Improvement] = StateGraph(Loop, context_schema=Improvement)
    graph.add_node("observe", observe)
    graph.add_node("decide", decide)
    graph.add_node("act", act)
    graph.add_node("judge", judge)
    graph.add_node("learn", learn)
    graph.add_edge(START, "observe")
    graph.add_edge("observe", "decide")
    graph.add_edge("decide", "act")
    graph.add_edge("act", "judge")
    graph.add_edge("judge", "learn")
    graph.add_conditional_edges("learn", _again, ["observe", END])
    return graph


def improved(improvement: Improvement) -> Loop:
    """Takes the turns, and returns the last one. Raises what the agent raises."""
    last: Any = build().compile().invoke({}, {"recursion_limit": NODES * improvement.turns + NODES}, context=improvement)
    loop: Loop = last
    return loop


def _again(state: Loop, runtime: Runtime[Improvement]) -> str:
    """A refusal ends the loop: whatever is decided next would be refused too."""
    over = state["taken"] >= runtime.context.turns or state["outcome"].status == "refused" or runtime.context.stop()
    return END if over else "observe"
