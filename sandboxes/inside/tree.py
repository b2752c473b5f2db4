"""Process trees from /proc: who descends from whom, what they use, and ending them all. Linux only."""

# Descriptors and plain paths: this runs many times a second, beside code that plays tricks with links.
# ruff: noqa: PTH115, PTH116, PTH208

from __future__ import annotations

import ctypes
import os
import signal
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PROC = Path("/proc")
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36


def adopt_orphans() -> None:
    """Makes this process the parent of every orphan below it, so that a child that forks twice stays in the tree."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Has the kernel end this process when its parent ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def forbid_tracing() -> None:
    """Keeps other processes of the same user out of this one's memory and open files."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def processes() -> list[int]:
    return [int(entry) for entry in os.listdir(PROC) if entry.isdigit()]


def parents() -> dict[int, int]:
    """Every visible process and its parent; zombies are included."""
    found = {}
    for pid in processes():
        fields = _stat(pid)
        if fields:
            found[pid] = int(fields[1])
    return found


def descendants(root: int) -> list[int]:
    """All processes below `root`, itself excluded."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def marked(mark: str) -> list[int]:
    """Processes that were started with the line `mark` ("NAME=value") in their environment, this one excluded."""
    wanted, found = mark.encode(), []
    for pid in processes():
        try:
            environment = (PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        if pid != os.getpid() and wanted in environment.split(b"\0"):
            found.append(pid)
    return found


def start_time(pid: int) -> str | None:
    """The kernel's start time of a process: with the number, it names one process for as long as the machine is up."""
    fields = _stat(pid)
    return fields[19] if fields else None


def running(pids: Iterable[int]) -> list[int]:
    """Those that are neither gone nor zombies."""
    return [pid for pid in pids if (fields := _stat(pid)) and fields[0] not in "ZX"]


def tasks(pids: Iterable[int]) -> int:
    """Threads of all these processes together."""
    return sum(int(fields[17]) for pid in pids if (fields := _stat(pid)))


def memory(pids: Iterable[int]) -> int:
    """Bytes of private and shared anonymous memory that these processes hold; what a fork shares counts in each."""
    return sum(_resident(pid) for pid in pids)


def shared_memory() -> int:
    """Bytes of System V shared memory in this IPC namespace, attached or not."""
    try:
        rows = (PROC / "sysvipc" / "shm").read_text().splitlines()[1:]
    except OSError:
        return 0
    return sum(int(row.split()[14]) for row in rows)


def proportional_memory(pids: Iterable[int]) -> int:
    """Bytes by proportional set size, where pages shared by a fork count once; slower than `memory`."""
    total = 0
    for pid in pids:
        try:
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            total += _resident(pid)
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
    return total


def unlinked_files(pids: Iterable[int]) -> dict[tuple[int, int], tuple[str, int]]:
    """Open regular files without a name, as (device, inode) -> ("memory" for memfd, else "disk", bytes held).

    A process that keeps its open files from sight is given as (-1, pid) -> ("hidden", 0).
    """
    found: dict[tuple[int, int], tuple[str, int]] = {}
    for pid in pids:
        folder = PROC / str(pid) / "fd"
        try:
            numbers = os.listdir(folder)
        except PermissionError:
            if _has_memory(pid):
                found[-1, pid] = ("hidden", 0)
            continue
        except OSError:
            continue
        for number in numbers:
            try:
                info, target = os.stat(folder / number), os.readlink(folder / number)
            except OSError:
                continue
            if stat.S_ISREG(info.st_mode) and info.st_nlink == 0:
                found[info.st_dev, info.st_ino] = ("memory" if target.startswith("/memfd:") else "disk", info.st_blocks * 512)
    return found


def end(find: Callable[[], Iterable[int]], within_s: float = 3.0) -> list[int]:
    """Kills what `find` finds, again and again until nothing of it runs; returns what still does.

    Whole process groups go at once, which a fork cannot outrun. The caller and its group are never touched.
    """
    deadline = time.monotonic() + within_s
    while True:
        alive = [pid for pid in running(find()) if pid != os.getpid()]
        if not alive or time.monotonic() > deadline:
            return alive
        groups = {int(fields[2]) for pid in alive if (fields := _stat(pid))} - {os.getpgrp(), 0, 1}
        for group in groups & set(alive):  # the leader is ours, so the group is
            _kill(-group)
        for pid in alive:
            _kill(pid)
        time.sleep(0.005)


def reap() -> dict[int, int]:
    """Exit codes (negative: the signal) of children that ended, and of orphans that came to this process."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _has_memory(pid: int) -> bool:
    """False for a process that is just ending: without memory it counts as the kernel's own, and its files as root's."""
    try:
        return b"\nVmSize:" in (PROC / str(pid) / "status").read_bytes()
    except OSError:
        return False


def _resident(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "status").read_bytes().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith((b"RssAnon:", b"RssShmem:")))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: [0] state, [1] parent, [2] group, [17] threads, [19] start time."""
    try:
        # Bytes: a process may give itself any name, which stands here in brackets, and must not hide by it.
        return (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return []
