"""The memory that a process took, read without importing anything that would take some itself."""

from __future__ import annotations

from pathlib import Path


def peak_mb() -> float:
    """The most resident memory since the program began. Not `ru_maxrss`, which remembers the parent that it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
