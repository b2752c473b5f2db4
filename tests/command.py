"""Runs `agenticrs` as a user would: in a process of its own, with a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTE = ROOT / "workflows/examples/deepfm.md"


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "AGENTICRS_HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "160"}


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "workflows.cli", *map(str, words)]


def agenticrs(home: Path, *words: str | Path, timeout_s: float = 280) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, cwd=ROOT, env=environment(home), timeout=timeout_s, check=False
    )
