"""Which limit a running job has reached: memory, tasks, disk, measured a few times a second from /proc and the file system.

Polling can be outrun for one interval; hard walls (size of the file system, control groups, rlimits) stand behind it where they
exist.
"""

# Descriptors and plain paths: this runs many times a second, beside code that plays tricks with links.
# ruff: noqa: PTH120

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sandboxes.inside import tree
from sandboxes.inside.spec import Spec

MB = 1 << 20
MOST_ENTRIES = 20_000  # files and folders on the working volume: each costs the host memory even when empty
_NEARLY = 128 << 10  # a volume with less room than this is full: what did not fit is not there to be measured
_OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def over(spec: Spec, root: int) -> tuple[str, str]:
    """("memory" | "processes" | "disk", a sentence) for the first limit reached by what runs below `root`, else ("", "")."""
    pids = tree.running(tree.descendants(root))
    if tree.tasks(pids) > spec.processes:
        return "processes", f"the code ran more than {spec.processes} processes and threads at once"
    unlinked = {} if spec.control_group else tree.unlinked_files(pids)
    if any(kind == "hidden" for kind, _ in unlinked.values()):
        return "processes", "the code hid a process from the limits"
    if spec.memory_mb and _memory(spec, pids, unlinked) > spec.memory_mb * MB:
        return "memory", f"the code used more than {spec.memory_mb} MB of memory"
    return _disk(spec, sum(size for kind, size in unlinked.values() if kind == "disk"))


def full(spec: Spec) -> tuple[str, str]:
    """The same for the disk alone: for a job that has ended."""
    return _disk(spec, 0)


def out_of_memory_kills() -> int:
    """How often the kernel has ended a process of this control group for memory."""
    for path in _OOM_COUNTERS:
        if os.access(path, os.R_OK):
            rows = (line.split() for line in Path(path).read_text().splitlines())
            return sum(int(row[1]) for row in rows if row[0] == "oom_kill")
    return 0


def _memory(spec: Spec, pids: list[int], unlinked: dict[tuple[int, int], tuple[str, int]]) -> int:
    other = sum(size for kind, size in unlinked.values() if kind == "memory") + (tree.shared_memory() if spec.own_ipc else 0)
    held = tree.memory(pids)
    if len(pids) > 1 and held + other > spec.memory_mb * MB:
        held = tree.proportional_memory(pids)
    return held + other


def _disk(spec: Spec, unlinked: int) -> tuple[str, str]:
    limit = spec.disk_mb * MB
    if spec.volume:
        volume = os.statvfs(spec.volume)
        used, entries = (volume.f_blocks - volume.f_bfree) * volume.f_frsize, volume.f_files - volume.f_ffree
        limit = min(limit, volume.f_blocks * volume.f_frsize)
    else:
        used, entries = unlinked, 0
        for size in _sizes(os.path.dirname(spec.work)):
            used, entries = used + size, entries + 1
            if entries > MOST_ENTRIES:
                break
    if used > limit - _NEARLY:
        return "disk", f"the code wrote more than {spec.disk_mb} MB to disk"
    if entries > MOST_ENTRIES:
        return "disk", f"the code made more than {MOST_ENTRIES} files"
    return "", ""


def _sizes(folder: str) -> Iterator[int]:
    """Bytes on disk of everything under `folder`, links not followed."""
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            try:
                yield entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
            except OSError:
                continue
