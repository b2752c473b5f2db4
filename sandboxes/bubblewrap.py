"""The bubblewrap sandbox: Linux namespaces without a daemon.

Inside there is no network, no file of the host but the interpreter, system libraries, the kit and the data (all read-only),
an own process table, no capabilities, and one small writable file system in memory that holds everything the code writes.
It does not guard against faults of the kernel, nor the processor's time: threads are asked for, not held, to `limits.cpus`.
Memory is watched from inside a few times a second, so that the code may for a moment hold more than its limit; what the kernel
itself holds for the code (buffers of sockets and pipes) is bounded by the number of open files alone. Docker holds both.
"""

from __future__ import annotations

import os
import platform
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from sandboxes import launch
from sandboxes.inside import tree
from sandboxes.inside.spec import Spec
from sandboxes.outputs import MB
from sandboxes.pipes import Child
from sandboxes.protocol import RunRequest, RunResult
from sandboxes.supervise import Supervisor
from sandboxes.workspace import PACKAGE, PARTS, for_others, mark, sweep_workspaces, workspace

_SHARED_MEMORY_MB = 64
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives")
_PROBE = """import os, sys
uid = int(sys.argv[1])
if uid:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
os.execv(sys.executable, [sys.executable, "-S", "-c", "import json"])
"""  # what the first process does: becomes a user without rights, and starts Python
_FIRST_UID, _UIDS = 0x60000000, 0x10000000  # above what people, services and their sub-users are given


class BubblewrapSandbox:
    """Runs any code in namespaces made by `bwrap`, as root or as a plain user."""

    name = "bubblewrap"

    def available(self) -> str | None:
        """Tries it: user namespaces may be forbidden although the program is there."""
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            return "bubblewrap is not installed; install the package bubblewrap (apt-get install bubblewrap)"
        command = [bwrap, *_namespaces(), *_writable(1), *_system(), *_devices(), *_closed(), sys.executable, "-S", "-c", _PROBE]
        try:
            tried = subprocess.run([*command, str(_user())], capture_output=True, timeout=10, env={}, cwd="/")
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap does not start here ({error}); reinstall it, or use docker"
        if tried.returncode == 0:
            return None
        said = (tried.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"])[-1]
        if said.startswith("PermissionError"):
            where = f"{sys.prefix} or {sys.base_prefix}"
            return f"the user of a bubblewrap sandbox may not read {where}; open them to all users, or use docker"
        return f"bubblewrap does not work here ({said[:200]}); allow user namespaces, install version 0.7 or newer, or use docker"

    def run(self, request: RunRequest, progress: launch.Progress = None, cancelled: launch.Cancelled = None) -> RunResult:
        """See `sandboxes.protocol.Sandbox`."""
        refused = launch.refusal(request, self.name)
        if refused:
            return refused
        clock = launch.Clock()
        with workspace(request.files) as folder, launch.receiving(request) as receiver:
            try:
                child = _start(request, folder)
            except OSError as error:
                return launch.not_started(self.name, str(error), clock())
            supervisor = Supervisor(request.limits, receiver, progress, cancelled)
            try:
                ending = supervisor.follow(child)
            finally:
                _end(child)
                supervisor.join()
                said = child.complaints()
                child.close()
            if not ending.started and ending.status != "cancelled":
                return launch.not_started(self.name, said, clock())
            return launch.result(self.name, ending, receiver, clock())

    def sweep(self) -> int:
        return sweep_workspaces()


def _start(request: RunRequest, folder: Path) -> Child:
    limits, as_root = request.limits, os.geteuid() == 0
    spec = Spec(
        argv=request.argv,
        files="/handed",
        work="/tmp/work",
        volume="/tmp",
        uid=_user(),
        memory_mb=limits.memory_mb,
        own_ipc=True,
        processes=limits.processes,
        limit_tasks=as_root or _counts_tasks_by_namespace(platform.release()),
        disk_mb=limits.disk_mb,
    )
    binds = [("lib", "/agenticrs"), ("files", "/handed")]
    mounts = [*_system(), *_flat("--ro-bind", [(str(folder / name), place) for name, place in binds])]
    for part in PARTS:
        mounts += ["--ro-bind", str(for_others(PACKAGE / part, folder / f"{part}-copy")), f"/agenticrs/sandboxes/{part}"]
    if request.data is not None:
        mounts += ["--ro-bind", str(for_others(request.data.resolve(), folder / "data-copy")), "/data"]
    command = [shutil.which("bwrap") or "bwrap", *_namespaces(), *_writable(limits.disk_mb), *mounts, *_devices(), *_closed()]
    environment = launch.environment(request, "/agenticrs", "/tmp", "/data" if request.data is not None else "")
    name, _, value = mark(folder).partition("=")
    return Child([*command, *launch.command(sys.executable, spec)], environment | {name: value}, folder)


def _user() -> int:
    """For root, a user of its own for the run, who owns nothing anywhere; 0 for others, who stay what they are."""
    return _FIRST_UID + secrets.randbelow(_UIDS) if os.geteuid() == 0 else 0


def _namespaces() -> list[str]:
    """Own namespaces of every kind; the first process is the first of its process table, so that its end ends all."""
    common = ["--die-with-parent", "--new-session", "--as-pid-1", "--chdir", "/", "--cap-drop", "ALL", "--hostname", "sandbox"]
    if os.geteuid() != 0:
        return ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", *common]
    kinds = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    # Root needs no user namespace; two capabilities remain until the first process has become a user without rights.
    return [*kinds, *common, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _system() -> list[str]:
    """The interpreter and the libraries it needs, read-only, under their own paths."""
    arguments: list[str] = []
    for path in _SYSTEM:
        if Path(path).is_symlink():
            arguments += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).exists():
            arguments += ["--ro-bind", path, path]
    prefixes = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)}
    prefixes |= {os.path.realpath(prefix) for prefix in prefixes}
    outside = sorted(prefix for prefix in prefixes if prefix not in ("/", "/usr") and not prefix.startswith("/usr/"))
    above = {str(parent) for prefix in outside for parent in Path(prefix).parents if str(parent) not in ("/", "/tmp")}
    for parent in sorted(above):  # else made by bwrap, and closed to the user that the code runs as
        arguments += ["--perms", "0755", "--dir", parent]
    return arguments + _flat("--ro-bind", [(prefix, prefix) for prefix in outside])


def _devices() -> list[str]:
    """A process table, the harmless devices, the graphics processors if any; nothing of it has room to write."""
    graphics = [str(path) for path in sorted(Path("/dev").glob("nvidia*"))]
    return [
        *("--proc", "/proc", "--dev", "/dev"),
        *_flat("--dev-bind", [(path, path) for path in graphics]),
        *("--perms", "1777", "--size", str(_SHARED_MEMORY_MB * MB), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
    ]


def _writable(disk_mb: int) -> list[str]:
    """One file system of a fixed size for everything that is written. It comes first: an interpreter may lie below /tmp."""
    return ["--perms", "1777", "--size", str(disk_mb * MB), "--tmpfs", "/tmp"]


def _closed() -> list[str]:
    """Everything else, the root itself included, is read-only; comes last."""
    return ["--remount-ro", "/"]


def _flat(option: str, pairs: list[tuple[str, str]]) -> list[str]:
    return [word for pair in pairs for word in (option, *pair)]


def _counts_tasks_by_namespace(release: str) -> bool:
    """Since Linux 5.14 the limit on a user's tasks counts each user namespace by itself."""
    major, minor = (int("".join(c for c in part if c.isdigit()) or 0) for part in [*release.split("."), "0"][:2])
    return (major, minor) >= (5, 14)


def _end(child: Child) -> None:
    """Gives a finished sandbox a moment to go by itself, then ends its first process, and with it all others at once."""
    if not child.hang_up(1.0):
        tree.end(lambda: tree.descendants(child.process.pid))
    child.kill()
