"""Runs the graph of one request: begins or goes on, keeps the summary current, turns errors into exit codes."""

from __future__ import annotations

import hashlib
import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import StateGraph
from langgraph.types import Command

from agents.autotrain.plan import PlanImpossible
from agents.errors import (
    AgentError,
    BudgetExhausted,
    DoesNotTrain,
    ModelAnswerInvalid,
    ModelUnavailable,
    SourceUnreachable,
    UnreadablePaper,
)
from agents.secrets import discreet, without_secrets
from memory.errors import MemoryUnusable
from memory.tracking import EXPERIMENT
from sandboxes import SandboxUnavailable
from sandboxes.jobs import kit_hash
from sandboxes.kit.data import DataError
from workflows.budget import Account
from workflows.context import Emit, RunContext
from workflows.engines import make_engine, make_proposer
from workflows.exit_codes import ExitCode
from workflows.request import ReproductionRequest
from workflows.run_folder import FlowName, RunFolder, Summary
from workflows.settings import Settings

if TYPE_CHECKING:
    from workflows.feature_request import FeatureRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Flow:
    """A kind of run: what is asked for, the graph that answers, whose name is `name`, and the mind that its steps think with.

    `experiment` is where its runs stand in MLflow."""

    name: str
    experiment: str
    request: type[Any]
    graph: Callable[[], StateGraph[Any, Any]]
    mind: Callable[[Settings, Any, Account], Any]


def _reproduction() -> Flow:
    from workflows import paper_autotrain

    return Flow("paper_autotrain", EXPERIMENT, ReproductionRequest, paper_autotrain.build, make_engine)


def _features() -> Flow:
    from workflows import autofeature
    from workflows.feature_request import FeatureRequest

    return Flow("autofeature", "features", FeatureRequest, autofeature.build, make_proposer)


# Each is made when it is needed: no run pays for the libraries of another kind.
FLOWS: Mapping[FlowName, Callable[[], Flow]] = MappingProxyType({"reproduction": _reproduction, "features": _features})
EXIT_OF_STATUS = {
    "done": ExitCode.DONE,
    "known": ExitCode.DONE,
    "out_of_scope": ExitCode.OUT_OF_SCOPE,
    "no_candidate": ExitCode.NO_CANDIDATE,
    "declined": ExitCode.DONE,
    "waiting": ExitCode.WAITING,
    "budget_exhausted": ExitCode.BUDGET,
}
EXIT_OF_ERROR: tuple[tuple[type[Exception], ExitCode], ...] = (
    (UnreadablePaper, ExitCode.UNREADABLE),
    (SourceUnreachable, ExitCode.UNREADABLE),
    (DataError, ExitCode.UNREADABLE),
    (PlanImpossible, ExitCode.USAGE),
    (DoesNotTrain, ExitCode.NO_CANDIDATE),
    (ModelUnavailable, ExitCode.MODEL),
    (ModelAnswerInvalid, ExitCode.MODEL),
    (SandboxUnavailable, ExitCode.SANDBOX),
    (MemoryUnusable, ExitCode.MEMORY),
    (AgentError, ExitCode.INTERNAL),
)


@dataclass(frozen=True)
class Ended:
    """How a command's part of a run ended. `reused` says that the run had ended before and nothing was done."""

    summary: Summary
    folder: RunFolder
    code: ExitCode
    reused: bool = False


class NoSuchRun(LookupError):
    """There is no run of that name."""


def begin(settings: Settings, request: ReproductionRequest) -> RunFolder:
    """The folder of the run for this request: the one there is, or a new one (always where it says `again`)."""
    return begin_as(settings, "reproduction", run_name(request), request, request.paper, again=request.again)


def begin_as(
    settings: Settings, flow: FlowName, name: str, request: ReproductionRequest | FeatureRequest, about: str, *, again: bool
) -> RunFolder:
    """The folder of the run of that name: the one there is, or a new one; with `again`, under another name."""
    taken = sorted((settings.home / "runs").glob(f"{name}*"))
    if again and taken:
        name = f"{name}-{len(taken) + 1}"
    folder = RunFolder(settings.home / "runs" / name)
    if not folder.has("request.json"):
        started = datetime.now(UTC).isoformat(timespec="seconds")
        engine = request.model or "builtin"
        folder.save("summary", Summary(run_id=name, created=started, flow=flow, paper=about, engine=engine))
        folder.save("request", request)
    return folder


def run_name(request: ReproductionRequest) -> str:
    """The same for requests that ask for the same: options, the paper's content where it is a file, and the kit's code."""
    path = Path(request.paper)
    content = path.read_bytes() if path.is_file() else b""
    words = plain_name(path.name.rsplit(".", 1)[0]) or "paper"
    digest = hashlib.sha256("\0".join([request.key, kit_hash()]).encode() + content).hexdigest()
    return f"{words}-{digest[:8]}"


def plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-")


def find_run(settings: Settings, name: str) -> RunFolder:
    """The run of that name, or the only one whose name begins so. Raises `NoSuchRun`."""
    exact = settings.home / "runs" / name
    if name and "/" not in name and (exact / "request.json").is_file():
        return RunFolder(exact)
    near = [p.parent for p in (settings.home / "runs").glob("*/request.json") if p.parent.name.startswith(name)] if name else []
    if len(near) == 1:
        return RunFolder(near[0])
    raise NoSuchRun(f"{'several runs begin' if near else 'no run begins'} with {name!r}; agenticrs runs lists them")


def go(
    settings: Settings,
    folder: RunFolder,
    emit: Emit,
    *,
    changes: dict[str, Any] | None = None,
    approved: bool | None = None,
    engine: Any = None,
) -> Ended:
    """Runs the graph from where the run stands to its end, its next question or its fault. Never raises for what is not ours.

    `changes` are fields of the request that may change between commands (budget, sandbox); a changed budget stays with the run.
    `approved` answers a plan that waits for approval.
    """
    with folder.lock():
        flow = FLOWS[folder.summary.flow]()
        asked = folder.load("request", flow.request)
        request = asked.model_copy(update=changes or {})
        folder.save("request", asked.model_copy(update={"budget": request.budget}))
        stop, account = threading.Event(), Account(folder, request.budget)
        summary = folder.update_summary(status="running", reason="")
        try:
            mind = engine or flow.mind(settings, request, account)
            ctx = RunContext(settings, request, folder, mind, account, emit, stop.is_set, flow.experiment)
            with discreet(), stop_signals(stop):
                state = _stream(flow, ctx, approved)
            changed: dict[str, Any] = {"status": state["status"], "reason": state.get("reason", "")}
            code = EXIT_OF_STATUS[state["status"]]
        except BudgetExhausted as limit:
            changed, code = {"status": "budget_exhausted", "reason": str(limit)}, ExitCode.BUDGET
        except KeyboardInterrupt:
            changed, code = {"status": "stopped", "reason": "stopped from outside; resume goes on"}, ExitCode.INTERRUPTED
        except tuple(kind for kind, _ in EXIT_OF_ERROR) as error:
            changed, code = {"status": "failed", "reason": without_secrets(str(error))}, _code_of(error)
        except Exception as error:  # the process boundary: kept with its traceback, told in one sentence
            log.exception("run %s", folder.run_id)
            reason = f"a fault of this program: {without_secrets(repr(error))}"
            changed, code = {"status": "failed", "reason": reason}, ExitCode.INTERNAL
            folder.write_text("fault.txt", without_secrets(_traceback(error)))
        folder.update_summary(**changed, **_spent(account), seconds=round(summary.seconds + account.seconds, 1))
        return Ended(folder.summary, folder, code)


def ended_before(folder: RunFolder) -> Ended | None:
    """The run's end when it has one that running again would not change."""
    summary = folder.summary
    if summary.status in ("done", "known", "out_of_scope"):
        return Ended(summary, folder, EXIT_OF_STATUS[summary.status], reused=True)
    return None


def _stream(flow: Flow, ctx: RunContext[Any, Any], approved: bool | None) -> dict[str, Any]:
    """Streams the graph, one event a stage; returns the last state, with status `waiting` when it asks something."""
    run_id = ctx.folder.run_id
    thread = f"{run_id} {ctx.folder.summary.created}"  # a run whose folder was deleted begins anew under its old name
    config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": 100, "run_name": flow.name}
    with SqliteSaver.from_conn_string(str(ctx.settings.home / "checkpoints.sqlite")) as saver:
        app = flow.graph().compile(checkpointer=saver)
        before = app.get_state(config)
        start: Any = {"run_id": run_id} if not before.created_at else None
        if before.interrupts and approved is not None:
            start = Command(resume=approved)
        with ctx.tracker.traced():
            parts: Any = app.stream(start, config, context=ctx, stream_mode="tasks", durability="sync")
            with closing(parts):  # before the saver is, also where the time is spent
                for part in parts:
                    _tell_stage(ctx, part)
        after = app.get_state(config)
        if after.interrupts:
            return {"status": "waiting", "reason": str(after.interrupts[0].value)}
        return dict(after.values)


def _tell_stage(ctx: RunContext[Any, Any], part: Any) -> None:
    """Tells of a stage that begins or has ended; none begins once the command's time is spent."""
    if "result" in part or "error" in part:
        ctx.emit({"event": "stage_finished", "stage": part["name"]})
        return
    if ctx.stop():
        ctx.end()
    ctx.folder.update_summary(stage=part["name"], **_spent(ctx.account))
    ctx.emit({"event": "stage_started", "stage": part["name"]})


def _spent(account: Account) -> dict[str, float | None]:
    """As the run's summary has it."""
    calls, seconds = account.calls, round(account.sandbox.seconds, 1)
    return {"tokens": calls.tokens, "cost_usd": calls.cost_usd, "sandbox_seconds": seconds}


@contextmanager
def stop_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM end running jobs and then this command; elsewhere than in the main thread, nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    before = {s: signal.signal(s, handle) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for s, handler in before.items():
            signal.signal(s, handler)


def _code_of(error: Exception) -> ExitCode:
    return next(code for kind, code in EXIT_OF_ERROR if isinstance(error, kind))


def _traceback(error: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(error))
