"""The sandbox protocol: run untrusted code on a prepared data set and bring back data, never an exception.

A sandbox guards the host from the code. It does not judge the code: metrics are computed elsewhere, from the predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

Status = Literal[
    "ok",  # exit code 0 and outputs collected
    "failed",  # the code raised or exited non-zero
    "timed_out",  # wall-clock limit
    "out_of_memory",  # memory limit
    "over_limit",  # another limit: disk, processes, output size
    "bad_output",  # finished, but what it left is not what may come back (link, pickle, wrong type, too large)
    "refused",  # this sandbox will not run such code (see `RunRequest.composed`)
    "cancelled",  # the caller asked to stop
    "unavailable",  # the sandbox itself could not start
]


@dataclass(frozen=True)
class Limits:
    """Bounds on one run. Reaching one ends the run with its whole process tree."""

    timeout_s: float = 600.0
    memory_mb: int = 4096
    cpus: float = 1.0
    processes: int = 64
    disk_mb: int = 512
    stdout_mb: int = 4


@dataclass(frozen=True)
class RunRequest:
    """One run of `python -m sandboxes.kit.job` (or `argv`) in a fresh working folder.

    Inside, the working folder holds `files` and an empty, writable `out/`; `data`, if given, is readable at the
    path in the environment variable `AGENTICRS_DATA`. Nothing else of the host is visible that a plain user need not see.
    """

    files: Mapping[str, str]  # plain file names to text: model.py, job.json
    outputs: Path  # host folder that receives what `out/` holds; created if missing, empty before the run
    data: Path | None = None  # the `visible/` folder of a prepared data set, mounted read-only
    argv: tuple[str, ...] = ("-m", "sandboxes.kit.job")  # arguments of the python interpreter
    limits: Limits = field(default_factory=Limits)
    composed: bool = False  # True only for code composed by the built-in engine from the kit's own blocks
    label: str = ""  # shows in `docker ps`, logs


@dataclass(frozen=True)
class RunResult:
    """What a run came to. `outputs` maps names to regular files under `RunRequest.outputs`, already checked."""

    status: Status
    sandbox: str  # the sandbox's name
    exit_code: int | None = None
    duration_s: float = 0.0
    stdout: str = ""  # the tail, at most 64 KiB
    stderr: str = ""  # the tail, at most 64 KiB
    reason: str = ""  # one sentence for a person, when status is not "ok"
    outputs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status == "ok"


class Sandbox(Protocol):
    """Runs requests one at a time or several at once from threads; holds no state between runs.

    `run` returns for every request within `limits.timeout_s` plus a grace of 15 s, whatever the code does, and leaves no
    process, container or mount behind. It raises nothing for what the code does; `progress`, if given, receives each new
    complete line of `out/progress.jsonl` while the run goes on (untrusted text), and `cancelled` is polled about five
    times a second. Only regular files directly in `out/` with the endings .npy, .json, .jsonl, .safetensors, .txt come back.
    """

    name: str

    def run(
        self,
        request: RunRequest,
        progress: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult: ...

    def available(self) -> str | None:
        """None when this sandbox can run here, else one sentence: what is missing and the remedy."""
        ...

    def sweep(self) -> int:
        """Removes leftovers of earlier processes that died (containers, folders, process trees); returns how many."""
        ...
