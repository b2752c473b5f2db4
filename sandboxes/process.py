"""The plain process sandbox: a subprocess with limits, for code composed from the kit's own blocks.

It guards against mistakes: endless loops, too much memory, processes, disk or text, children left running. It does not guard
the host's files or network: the code runs as the user and may read what the user may read. Therefore it refuses other code.
It also does not hold code that means harm and kills its watcher: what then runs with a wiped environment outlives the run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sandboxes import launch
from sandboxes.inside import tree
from sandboxes.inside.spec import Spec
from sandboxes.pipes import Child
from sandboxes.protocol import RunRequest, RunResult
from sandboxes.supervise import Supervisor
from sandboxes.workspace import PACKAGE, PARTS, mark, sweep_workspaces, workspace


class ProcessSandbox:
    """Runs composed code in a subprocess; `allow_unsafe` lets it run any code, at the user's own word."""

    name = "process"

    def __init__(self, allow_unsafe: bool = False) -> None:
        self._allow_unsafe = allow_unsafe

    def available(self) -> str | None:
        """None on Linux, whose /proc the limits are watched through."""
        if sys.platform != "linux":
            return "the process sandbox watches its limits through Linux's /proc; use docker here"
        return None

    def run(self, request: RunRequest, progress: launch.Progress = None, cancelled: launch.Cancelled = None) -> RunResult:
        """See `sandboxes.protocol.Sandbox`."""
        if not (request.composed or self._allow_unsafe):
            reason = (
                "the process sandbox runs only code composed from the kit's blocks; install docker or bubblewrap, or allow it"
            )
            return RunResult("refused", self.name, reason=f"{reason} with --allow-unsafe-sandbox")
        refused = launch.refusal(request, self.name)
        if refused:
            return refused
        clock = launch.Clock()
        with workspace(request.files) as folder, launch.receiving(request) as receiver:
            child = self._start(request, folder)
            supervisor = Supervisor(request.limits, receiver, progress, cancelled)
            try:
                ending = supervisor.follow(child)
            finally:
                _end(child, mark(folder))
                supervisor.join()
                child.close()
            if not ending.started and ending.status != "cancelled":
                return launch.not_started(self.name, child.complaints(), clock())
            return launch.result(self.name, ending, receiver, clock())

    def sweep(self) -> int:
        return sweep_workspaces()

    def _start(self, request: RunRequest, folder: Path) -> Child:
        for part in PARTS:  # our own files, read where they are
            place = folder / "lib/sandboxes" / part
            place.rmdir()
            place.symlink_to(PACKAGE / part)
        limits, run = request.limits, folder / "run"
        spec = Spec(
            argv=request.argv,
            files=str(folder / "files"),
            work=str(run / "work"),
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            disk_mb=limits.disk_mb,
        )
        environment = launch.environment(request, str(folder / "lib"), str(run), launch.shown(request.data))
        name, _, value = mark(folder).partition("=")
        return Child(launch.command(sys.executable, spec), environment | {name: value}, run)


def _end(child: Child, line: str) -> None:
    """Ends the whole tree: by the lifeline, else from here, while the first process still collects orphans, stopped or not."""
    if not child.hang_up(2.0):
        tree.end(lambda: [*tree.descendants(child.process.pid), *tree.marked(line)])
    child.kill()
    tree.end(lambda: tree.marked(line))
