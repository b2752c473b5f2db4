"""Who started a run: enough to tell, later and from another process, whether that process still lives.

Nothing is said of owners on another machine or in another process table: they count as alive.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from sandboxes.inside import tree


def this_owner() -> dict[str, str]:
    """This process, as text fields."""
    return {**_here(), "boot": _boot(), "pid": str(os.getpid()), "start": tree.start_time(os.getpid()) or ""}


def alive(owner: Mapping[str, str]) -> bool:
    """False only when the owner surely died: the machine has started anew, or its number is free or someone else's."""
    if any(owner.get(name) != value for name, value in _here().items()):
        return True
    if owner.get("boot") != _boot():
        return False
    pid = owner.get("pid", "")
    if not pid.isdigit():
        return True
    if not tree.PROC.is_dir():
        return _answers(int(pid))
    return (tree.start_time(int(pid)) or "") == owner.get("start")


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _here() -> dict[str, str]:
    """The machine and the process table that process numbers belong to."""
    try:
        table = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        table = ""
    return {"host": platform.node(), "table": table}


def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.is_file() else ""
