"""The main flow, top to bottom: from a paper to a verdict.

    read -> parse -> recall -> plan -> [approve] -> choose -> write | change -> check -> smoke -> sample -> review -> choose ...
         -> choose -> look_up -> train -> score -> compare -> ablate -> report -> remember

Candidates climb a cascade of checks; whenever one failed, or passed them all, `choose` says what comes next (see
`agents.autotrain.search`): a draft, a repair, an improvement, the training of the best, or the end.

State holds ids and small values; what steps produce lies in the run's folder. Every step may run twice with the same
outcome, so that a crash costs at most the step in progress.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents.autotrain.search import Change, Draft, GiveUp, Train
from agents.errors import NothingToBuild
from agents.secrets import discreet
from workflows import steps
from workflows.context import Context, RunContext

Status = Literal["running", "out_of_scope", "declined", "no_candidate", "known", "done"]


class State(TypedDict, total=False):
    """What flows between nodes. The engine has no change to offer for candidates in `done_with`."""

    run_id: str
    status: Status
    reason: str
    candidate: int  # the one in hand, numbered from 1
    move: Literal["write", "change", "look_up", "report"]
    of: int  # the candidate to change
    origin: Literal["repair", "improvement"]
    passed: bool  # what the last step came to
    done_with: list[int]
    drafts_over: bool
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


def choose(state: State, runtime: Runtime[Context]) -> State:
    """What comes next: a draft, a change of a candidate, the training of the best one, or the end."""
    tried = len(steps.tried(runtime.context))
    match steps.choose(runtime.context, state.get("done_with", []), state.get("drafts_over", False)):
        case Draft():
            return {"move": "write", "candidate": tried + 1}
        case Change(of, origin):
            return {"move": "change", "candidate": tried + 1, "of": of, "origin": origin}
        case Train(number):
            return {"move": "look_up", "candidate": number}
        case GiveUp(reason):
            return {"move": "report", "status": "no_candidate", "reason": reason}


def write(state: State, runtime: Runtime[Context]) -> State:
    try:
        return {"passed": True} if steps.write(runtime.context, state["candidate"]) else {"passed": False, "drafts_over": True}
    except NothingToBuild as why:
        return {"status": "no_candidate", "reason": str(why)}


def change(state: State, runtime: Runtime[Context]) -> State:
    of = state["of"]
    changed = steps.change(runtime.context, state["candidate"], of, state["origin"])
    return {"passed": True} if changed else {"passed": False, "done_with": [*state.get("done_with", []), of]}


def check(state: State, runtime: Runtime[Context]) -> State:
    return {"passed": steps.check(runtime.context, state["candidate"])}


def smoke(state: State, runtime: Runtime[Context]) -> State:
    return {"passed": steps.smoke(runtime.context, state["candidate"])}


def sample(state: State, runtime: Runtime[Context]) -> State:
    return {"passed": steps.sample(runtime.context, state["candidate"])}


def review(state: State, runtime: Runtime[Context]) -> State:
    steps.review(runtime.context, state["candidate"])
    return {}


def look_up(state: State, runtime: Runtime[Context]) -> State:
    known = steps.look_up(runtime.context, state["candidate"])
    return {"status": "known", "reason": known.in_words, "verdict": known.verdict} if known else {}


def train(state: State, runtime: Runtime[Context]) -> State:
    return {"passed": steps.train(runtime.context, state["candidate"])}


def score(state: State, runtime: Runtime[Context]) -> State:
    steps.score(runtime.context)
    return {}


def compare(state: State, runtime: Runtime[Context]) -> State:
    return {"verdict": steps.compare(runtime.context), "status": "done"}


def ablate(state: State, runtime: Runtime[Context]) -> State:
    steps.ablate(runtime.context, state["candidate"])
    return {}


def report(state: State, runtime: Runtime[Context]) -> State:
    steps.report(runtime.context, state["status"], state.get("reason", ""))
    return {}


def remember(state: State, runtime: Runtime[Context]) -> State:
    steps.remember(runtime.context, state["status"], state.get("reason", ""), state.get("verdict", ""))
    return {}


def _go_on(then: str) -> Callable[[State], str]:
    """To the next node while the run is on, to the report when it has ended."""
    return lambda state: then if state["status"] == "running" else "report"


def _written(state: State) -> str:
    return "report" if state["status"] != "running" else _or_choose("check")(state)


def _or_choose(then: str) -> Callable[[State], str]:
    """To the next node where a step passed; else to the choice of what to do about it."""
    return lambda state: then if state["passed"] else "choose"


def build() -> StateGraph[State, Context]:
    """The graph, not yet compiled with a checkpointer."""
    graph: StateGraph[State, Context] = StateGraph(State, context_schema=RunContext)
    before = (read, parse, recall, plan, approve, choose, write, change, check, smoke, sample, review, look_up)
    for node in (*before, train, score, compare, ablate, report, remember):
        graph.add_node(node.__name__, discreet()(node))  # what a node raises is kept in checkpoints and traces
    graph.add_edge(START, "read")
    graph.add_edge("read", "parse")
    graph.add_conditional_edges("parse", _go_on("recall"), ["recall", "report"])
    graph.add_edge("recall", "plan")
    graph.add_edge("plan", "approve")
    graph.add_conditional_edges("approve", _go_on("choose"), ["choose", "report"])
    graph.add_conditional_edges("choose", lambda state: state["move"], ["write", "change", "look_up", "report"])
    graph.add_conditional_edges("write", _written, ["check", "choose", "report"])
    graph.add_conditional_edges("change", _or_choose("check"), ["check", "choose"])
    graph.add_conditional_edges("check", _or_choose("smoke"), ["smoke", "choose"])
    graph.add_conditional_edges("smoke", _or_choose("sample"), ["sample", "choose"])
    graph.add_conditional_edges("sample", _or_choose("review"), ["review", "choose"])
    graph.add_edge("review", "choose")
    graph.add_conditional_edges("look_up", _go_on("train"), ["train", "report"])
    graph.add_conditional_edges("train", _or_choose("score"), ["score", "choose"])
    graph.add_edge("score", "compare")
    graph.add_edge("compare", "ablate")
    graph.add_edge("ablate", "report")
    graph.add_edge("report", "remember")
    graph.add_edge("remember", END)
    return graph
