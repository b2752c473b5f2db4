"""What a run's steps work with: made once at the composition root, handed to every node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, NoReturn, Protocol, TypeVar

from agents.autotrain.engine import Engine
from memory.store import MemoryStore
from memory.tracking import EXPERIMENT, Tracker
from sandboxes import SandboxUnavailable, choose
from sandboxes.jobs import JobRunner
from sandboxes.kit.data import Prepared
from sandboxes.protocol import Limits, RunResult
from workflows.budget import Account, Budget
from workflows.memory import open_memory
from workflows.request import ReproductionRequest
from workflows.run_folder import RunFolder
from workflows.settings import SandboxName, Settings

Emit = Callable[[dict[str, object]], None]


class RunRequest(Protocol):
    """What every kind of request says of how it may run."""

    @property
    def sandbox(self) -> SandboxName: ...

    @property
    def allow_unsafe_sandbox(self) -> bool: ...

    @property
    def budget(self) -> Budget: ...


R = TypeVar("R", bound=RunRequest)
M = TypeVar("M")


@dataclass
class RunContext(Generic[R, M]):
    """Settings, the request, the run's folder, the mind behind it, and what is opened on first use: memory, tracking, sandbox,
    data."""

    settings: Settings
    request: R
    folder: RunFolder
    engine: M
    account: Account
    emit: Emit = lambda event: None
    interrupted: Callable[[], bool] = lambda: False
    experiment: str = EXPERIMENT  # in MLflow

    @cached_property
    def memory(self) -> MemoryStore:
        return open_memory(self.settings, self.say)

    @cached_property
    def tracker(self) -> Tracker:
        return Tracker(self.settings.mlflow_uri, self.settings.home / "mlartifacts", self.experiment)

    @cached_property
    def prepared(self) -> Prepared:
        """The data set of the plan, as `steps.plan` prepared it."""
        return Prepared.open(self.settings.home / "data" / self.folder.read_text("prepared.txt"))

    @property
    def jobs(self) -> Path:
        """Where finished jobs are kept, by key."""
        return self.settings.home / "jobs"

    def runner(self, composed: bool, timeout_s: float | None = None) -> JobRunner:
        """Jobs in the sandbox that may run such code, for `timeout_s` or as long as a training may take.

        Raises `SandboxUnavailable`.
        """
        sandbox = choose(self.request.sandbox, composed=composed, allow_unsafe=self.request.allow_unsafe_sandbox)
        limits = Limits(timeout_s or self.settings.timeout_s, self.settings.memory_mb, float(self.settings.processes))
        return JobRunner(sandbox, self.jobs, limits, self.account.sandbox)

    def stop(self) -> bool:
        """Whether running jobs should end, and no step should begin: the user said so, or the command's time is spent."""
        return self.interrupted() or self.account.out_of_time()

    def say(self, text: str) -> None:
        """A line for the person who watches."""
        self.emit({"event": "note", "text": text})

    def end(self) -> NoReturn:
        """Ends the command where it stands: raises `BudgetExhausted` when time is spent, else `KeyboardInterrupt`."""
        if not self.interrupted():
            self.account.hold({"minutes": 0, "sandbox_minutes": 0})
        raise KeyboardInterrupt

    def end_if_stopped(self, run: RunResult) -> None:
        """For jobs run outside an experiment: a cancelled one ends the command, a missing sandbox too."""
        if run.status == "cancelled":
            self.end()
        if run.status == "unavailable":
            raise SandboxUnavailable(run.reason)


Context = RunContext[ReproductionRequest, Engine]  # of a reproduction
