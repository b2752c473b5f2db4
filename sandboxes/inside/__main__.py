"""`python -P -S -m sandboxes.inside SPEC`: runs one job to its end, and reports to the host in frames on standard output.

Standard input is the lifeline: when it closes, the host is gone or wants an end, and everything here ends.
"""

# Descriptors and plain paths: this runs many times a second, beside code that plays tricks with links.
# ruff: noqa: PTH102, PTH110, PTH118, PTH208

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from sandboxes.inside import deny, frames, leavings, tree, watch
from sandboxes.inside.spec import Spec

TICK_S = 0.05
_CHUNK = 1 << 16
_PROGRESS_CHUNKS = 16  # read in one turn: a job that writes without end must not keep the watch waiting
_FILE_LIMIT = 1024  # open files


def main() -> int:
    """Exit code 0 unless the host has gone."""
    spec = Spec.load(sys.argv[1])
    if spec.uid:
        os.setgroups([])
        os.setresgid(spec.uid, spec.uid, spec.uid)
        os.setresuid(spec.uid, spec.uid, spec.uid)
        deny.inherited_capabilities()
        tree.die_with_parent()  # again: the kernel forgets it when the user changes
    tree.forbid_tracing()
    tree.adopt_orphans()
    os.umask(0o077)
    _lay_out(spec)
    run = Run(spec)
    try:
        exit_code, limit, reason = run.to_the_end()
    finally:
        _end_all()
    if run.out_of_memory():
        limit, reason = "memory", ""
    if not limit:
        limit, reason = watch.full(spec)
    frames.send(1, frames.QUIT)
    if not limit:
        leavings.send_outputs(1, spec.work)
    frames.send(1, frames.END, json.dumps({"exit_code": exit_code, "over": limit, "reason": reason}).encode())
    return 0


class Run:
    """The job's process and what is read of it while it runs."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._kills = watch.out_of_memory_kills() if spec.control_group else 0
        self._job = subprocess.Popen(
            [sys.executable, *spec.argv],
            cwd=spec.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: _confine(spec),
        )
        assert self._job.stdout is not None and self._job.stderr is not None
        self._pipes = {self._job.stdout.fileno(): frames.STDOUT, self._job.stderr.fileno(): frames.STDERR}
        self._progress: int | None = None
        frames.send(1, frames.STARTED)

    def to_the_end(self) -> tuple[int | None, str, str]:
        """The exit code, and the limit that was reached with a sentence. Raises SystemExit when the host has gone."""
        selector = selectors.DefaultSelector()
        for fd in (0, *self._pipes):
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_READ)
        check_at = 0.0
        while True:
            for key, _ in selector.select(TICK_S):
                if not self._read(key.fd):
                    selector.unregister(key.fd)
            self._follow_progress()
            ended = tree.reap()
            if self._job.pid in ended:
                self._job.returncode = ended[self._job.pid]
                _end_all()  # what it left running would hold the pipes open
                self._drain()
                return self._job.returncode, "", ""
            if time.monotonic() >= check_at:
                if self.out_of_memory():
                    return None, "memory", ""
                limit, reason = watch.over(self._spec, os.getpid())
                if limit:
                    return None, limit, reason
                check_at = time.monotonic() + TICK_S

    def out_of_memory(self) -> bool:
        """Whether the kernel has ended a process of this sandbox for memory, be it a child that nobody waits for."""
        return self._spec.control_group and watch.out_of_memory_kills() > self._kills

    def _read(self, fd: int) -> bool:
        """Passes on what a descriptor gives; False at its end."""
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:
            return True
        if fd == 0 and not chunk:
            raise SystemExit(1)
        if chunk and fd:
            frames.send(1, self._pipes[fd], chunk)
        return bool(chunk)

    def _drain(self) -> None:
        self._follow_progress()
        for fd, kind in self._pipes.items():
            while True:
                try:
                    chunk = os.read(fd, _CHUNK)
                except BlockingIOError:
                    break
                if not chunk:
                    break
                frames.send(1, kind, chunk)

    def _follow_progress(self) -> None:
        """Sends what was added to out/progress.jsonl; a link, a pipe or a device of that name is not opened."""
        if self._progress is None:
            self._progress = leavings.open_regular(self._spec.work, "progress.jsonl")
        if self._progress is not None:
            for _ in range(_PROGRESS_CHUNKS):
                chunk = os.read(self._progress, _CHUNK)
                if not chunk:
                    return
                frames.send(1, frames.PROGRESS, chunk)


def _lay_out(spec: Spec) -> None:
    os.mkdir(spec.work)
    os.mkdir(os.path.join(spec.work, "out"))
    for name in os.listdir(spec.files):
        shutil.copyfile(os.path.join(spec.files, name), os.path.join(spec.work, name))


def _confine(spec: Spec) -> None:
    """Between fork and exec: limits that the kernel keeps for each process of the job."""
    memory = spec.memory_mb * 2 + 1024 if spec.memory_mb and not os.path.exists("/dev/nvidiactl") else 0  # CUDA reserves far more
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _FILE_LIMIT,
        resource.RLIMIT_FSIZE: spec.disk_mb * watch.MB,
        resource.RLIMIT_DATA: memory * watch.MB,  # generous: the watch knows better, this stops one absurd allocation
        resource.RLIMIT_NPROC: spec.processes + 8 if spec.limit_tasks else 0,
    }
    for kind, limit in limits.items():
        hard = resource.getrlimit(kind)[1]
        if limit or kind == resource.RLIMIT_CORE:
            least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (least, least))
    deny.unneeded_system_calls()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # of all processes, the kernel should take these first


def _end_all() -> None:
    """Ends and reaps everything but this process."""
    if os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # first process of its own process table: one call takes all, whatever they fork
    tree.end(lambda: (tree.reap(), tree.descendants(os.getpid()))[1])
    tree.reap()


if __name__ == "__main__":
    sys.exit(main())
