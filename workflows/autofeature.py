"""AutoFeature's flow, top to bottom: from a data set to a decision about its features.

    observe -> propose -> shortlist -> [approve] -> try_out -> confirm -> report -> remember

State holds small values; what steps produce lies in the run's folder. Every step may run twice with the same outcome.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.secrets import discreet
from workflows import feature_steps as steps
from workflows.context import RunContext
from workflows.feature_steps import FeatureContext

Status = Literal["running", "declined", "done"]


class State(TypedDict, total=False):
    run_id: str
    status: Status
    reason: str
    verdict: str


def observe(state: State, runtime: Runtime[FeatureContext]) -> State:
    steps.observe(runtime.context)
    return {"status": "running"}


def propose(state: State, runtime: Runtime[FeatureContext]) -> State:
    steps.propose(runtime.context)
    return {}


def shortlist(state: State, runtime: Runtime[FeatureContext]) -> State:
    steps.shortlist(runtime.context)
    return {}


def approve(state: State, runtime: Runtime[FeatureContext]) -> State:
    if not runtime.context.request.approve or interrupt(steps.plan_in_words(runtime.context)):
        return {}
    return {"status": "declined", "reason": "the trials were not approved"}


def try_out(state: State, runtime: Runtime[FeatureContext]) -> State:
    steps.try_out(runtime.context)
    return {}


def confirm(state: State, runtime: Runtime[FeatureContext]) -> State:
    last = steps.confirm(runtime.context)
    return {"status": "done", "verdict": last.verdict, "reason": last.reason}


def report(state: State, runtime: Runtime[FeatureContext]) -> State:
    steps.report(runtime.context, state["status"], state.get("reason", ""))
    return {}


def remember(state: State, runtime: Runtime[FeatureContext]) -> State:
    if state["status"] == "done":
        steps.remember(runtime.context)
    return {}


def build() -> StateGraph[State, FeatureContext]:
    """The graph, not yet compiled with a checkpointer."""
    graph: StateGraph[State, FeatureContext] = StateGraph(State, context_schema=RunContext)
    for node in (observe, propose, shortlist, approve, try_out, confirm, report, remember):
        graph.add_node(node.__name__, discreet()(node))
    graph.add_edge(START, "observe")
    graph.add_edge("observe", "propose")
    graph.add_edge("propose", "shortlist")
    graph.add_edge("shortlist", "approve")
    graph.add_conditional_edges(
        "approve", lambda state: "try_out" if state["status"] == "running" else "report", ["try_out", "report"]
    )
    graph.add_edge("try_out", "confirm")
    graph.add_edge("confirm", "report")
    graph.add_edge("report", "remember")
    graph.add_edge("remember", END)
    return graph
