"""The main flow, top to bottom: from a paper to a verdict.

    read -> parse -> recall -> plan -> [approve] -> write -> check -> smoke -> (repair)* -> train -> score -> compare
         -> review -> report -> remember

State holds ids and small values; what steps produce lies in the run's folder. Every step may run twice with the same
outcome, so that a crash costs at most the step in progress.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.errors import NothingToBuild
from agents.secrets import discreet
from workflows import steps
from workflows.context import Context

Status = Literal["running", "out_of_scope", "declined", "no_candidate", "done"]


class State(TypedDict, total=False):
    """What flows between nodes. `failures` holds one line for each failed attempt, the newest last."""

    run_id: str
    status: Status
    reason: str
    attempt: int
    failure_stage: Literal["", "policy", "smoke", "train"]
    failures: list[str]
    verdict: str


def read(state: State, runtime: Runtime[Context]) -> State:
    steps.read(runtime.context)
    return {"status": "running"}


def parse(state: State, runtime: Runtime[Context]) -> State:
    scope = steps.parse(runtime.context).scope
    return {} if scope.inside else {"status": "out_of_scope", "reason": scope.reason}


def recall(state: State, runtime: Runtime[Context]) -> State:
    steps.recall(runtime.context)
    return {}


def plan(state: State, runtime: Runtime[Context]) -> State:
    steps.plan(runtime.context)
    return {}


def approve(state: State, runtime: Runtime[Context]) -> State:
    if not runtime.context.request.approve or interrupt(steps.plan_in_words(runtime.context)):
        return {}
    return {"status": "declined", "reason": "the plan was not approved"}


def write(state: State, runtime: Runtime[Context]) -> State:
    try:
        steps.write(runtime.context)
    except NothingToBuild as why:
        return {"status": "no_candidate", "reason": str(why)}
    return {"attempt": 1, "failures": [], "failure_stage": ""}


def check(state: State, runtime: Runtime[Context]) -> State:
    return _failed(state, "policy", steps.check(runtime.context, state["attempt"]))


def smoke(state: State, runtime: Runtime[Context]) -> State:
    return _failed(state, "smoke", steps.smoke(runtime.context, state["attempt"]))


def repair(state: State, runtime: Runtime[Context]) -> State:
    failures, attempt, stage = state["failures"], state["attempt"], state["failure_stage"]
    assert stage
    if len(failures) > 1 and failures[-1] == failures[-2]:
        return {"status": "no_candidate", "reason": f"the same {stage} failure came twice: {_first_line(failures[-1])}"}
    if attempt > runtime.context.settings.repairs or not steps.repair(runtime.context, attempt, stage, failures[-1]):
        return {"status": "no_candidate", "reason": f"no model passed after {attempt} attempt(s): {_first_line(failures[-1])}"}
    return {"attempt": attempt + 1, "failure_stage": ""}


def train(state: State, runtime: Runtime[Context]) -> State:
    return _failed(state, "train", steps.train(runtime.context, state["attempt"]))


def score(state: State, runtime: Runtime[Context]) -> State:
    steps.score(runtime.context)
    return {}


def compare(state: State, runtime: Runtime[Context]) -> State:
    return {"verdict": steps.compare(runtime.context), "status": "done"}


def review(state: State, runtime: Runtime[Context]) -> State:
    steps.review(runtime.context, state["attempt"])
    return {}


def report(state: State, runtime: Runtime[Context]) -> State:
    steps.report(runtime.context, state["status"], state.get("reason", ""), state.get("failures", []))
    return {}


def remember(state: State, runtime: Runtime[Context]) -> State:
    steps.remember(runtime.context, state["status"], state.get("reason", ""), state.get("verdict", ""))
    return {}


def _failed(state: State, stage: Literal["policy", "smoke", "train"], fault: str) -> State:
    return {"failure_stage": stage, "failures": [*state["failures"], fault]} if fault else {"failure_stage": ""}


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines and lines[0].startswith("Traceback") else (lines[0] if lines else "no reason was given")


def _go_on(then: str) -> Callable[[State], str]:
    """To the next node while the run is on, to the report when it has ended."""
    return lambda state: then if state["status"] == "running" else "report"


def _or_repair(then: str) -> Callable[[State], str]:
    return lambda state: "repair" if state["failure_stage"] else then


def build() -> StateGraph[State, Context]:
    """The graph, not yet compiled with a checkpointer."""
    graph: StateGraph[State, Context] = StateGraph(State, context_schema=Context)
    for node in (
        read,
        parse,
        recall,
        plan,
        approve,
        write,
        check,
        smoke,
        repair,
        train,
        score,
        compare,
        review,
        report,
        remember,
    ):
        graph.add_node(node.__name__, discreet()(node))  # what a node raises is kept in checkpoints and traces
    graph.add_edge(START, "read")
    graph.add_edge("read", "parse")
    graph.add_conditional_edges("parse", _go_on("recall"), ["recall", "report"])
    graph.add_edge("recall", "plan")
    graph.add_edge("plan", "approve")
    graph.add_conditional_edges("approve", _go_on("write"), ["write", "report"])
    graph.add_conditional_edges("write", _go_on("check"), ["check", "report"])
    graph.add_conditional_edges("check", _or_repair("smoke"), ["smoke", "repair"])
    graph.add_conditional_edges("smoke", _or_repair("train"), ["train", "repair"])
    graph.add_conditional_edges("repair", _go_on("check"), ["check", "report"])
    graph.add_conditional_edges("train", _or_repair("score"), ["score", "repair"])
    graph.add_edge("score", "compare")
    graph.add_edge("compare", "review")
    graph.add_edge("review", "report")
    graph.add_edge("report", "remember")
    graph.add_edge("remember", END)
    return graph
