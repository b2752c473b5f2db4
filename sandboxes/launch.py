"""What every sandbox starts in the same way: the first process's command, the environment, and the result put together."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sandboxes.inside.spec import Spec
from sandboxes.outputs import MB, Receiver
from sandboxes.protocol import RunRequest, RunResult, Status
from sandboxes.supervise import Ending
from sandboxes.workspace import unfit_files

Progress = Callable[[str], None] | None
Cancelled = Callable[[], bool] | None


def command(python: str, spec: Spec) -> list[str]:
    """`-P -S`: the first process imports our package and the standard library, nothing that lies about."""
    return [python, "-P", "-S", "-m", "sandboxes.inside", spec.dump()]


def job_argv(processes: int) -> tuple[str, ...]:
    """The interpreter's arguments for a job of so many processes, which find each other on this machine's loopback."""
    job = ("-m", "sandboxes.kit.job")
    if processes == 1:
        return job
    # What `--standalone` means, but for the name localhost, which nothing inside a sandbox knows.
    meeting = ("--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1")
    return ("-m", "torch.distributed.run", *meeting, "--nproc-per-node", str(processes), *job)


def environment(request: RunRequest, lib: str, scratch: str, data: str) -> dict[str, str]:
    """The whole environment of a run: nothing of the host's. `scratch` is the folder for everything temporary."""
    threads = str(max(1, math.ceil(request.limits.cpus)))
    told = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": scratch,
        "USER": "agenticrs",
        "TMPDIR": scratch,
        "XDG_CACHE_HOME": f"{scratch}/.cache",
        "TORCHINDUCTOR_CACHE_DIR": f"{scratch}/.inductor",
        "TRITON_CACHE_DIR": f"{scratch}/.triton",
        "PYTHONPATH": lib,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "0",
    }
    for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR"):
        told[f"{library}_NUM_THREADS"] = threads
    told["POLARS_MAX_THREADS"] = threads
    return told | ({"AGENTICRS_DATA": data} if data else {})


def refusal(request: RunRequest, sandbox: str) -> RunResult | None:
    """The result for a request that cannot be run as it stands, or None."""
    fault, status = unfit_files(request.files), "refused"
    if not fault and request.data is not None and not request.data.is_dir():
        fault, status = f"there is no data folder {request.data}; prepare the data set first", "unavailable"
    if not fault and request.outputs.is_dir() and any(request.outputs.iterdir()):
        fault, status = f"the outputs folder {request.outputs} is not empty; give a fresh one", "unavailable"
    if not fault:
        return None
    return RunResult("refused" if status == "refused" else "unavailable", sandbox, reason=fault)


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() - self._began


@contextlib.contextmanager
def receiving(request: RunRequest) -> Iterator[Receiver]:
    """A receiver into the request's outputs folder."""
    request.outputs.mkdir(parents=True, exist_ok=True)
    receiver = Receiver(request.outputs, request.limits.disk_mb * MB)
    try:
        yield receiver
    finally:
        receiver.close()


def result(name: str, ending: Ending, receiver: Receiver, duration_s: float) -> RunResult:
    """The run's result. Outputs come with the endings in which the job itself ended; others leave none."""
    if ending.status not in ("ok", "failed", "bad_output"):
        receiver.discard()
    return RunResult(
        ending.status,
        name,
        ending.exit_code,
        duration_s,
        ending.stdout.decode("utf-8", "replace"),
        ending.stderr.decode("utf-8", "replace"),
        ending.reason,
        dict(receiver.kept),
    )


def not_started(name: str, said: str, duration_s: float) -> RunResult:
    """The result when the sandbox itself failed; `said` is what its tool printed."""
    lines = said.strip().splitlines()
    status: Status = "unavailable"
    return RunResult(
        status, name, None, duration_s, reason=f"the {name} sandbox did not start: {lines[-1] if lines else 'no reason given'}"
    )


def shown(folder: Path | None) -> str:
    """A folder's absolute path as text, links resolved; "" for None."""
    return str(folder.resolve()) if folder is not None else ""
