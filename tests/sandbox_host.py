"""Sandboxes under test, and what the host looks like: a run leaves no container, process or folder behind."""

from __future__ import annotations

import os
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from sandboxes import Limits, RunRequest, RunResult, Sandbox
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.container import ContainerSandbox
from sandboxes.process import ProcessSandbox
from sandboxes.workspace import PREFIX

MAKERS: dict[str, Callable[[], Sandbox]] = {
    "docker": ContainerSandbox,
    "bubblewrap": BubblewrapSandbox,
    "process": lambda: ProcessSandbox(allow_unsafe=True),
}
LABEL = f"attack-{os.getpid()}"  # of this process's runs: others may test at the same time
SCRIPT = f"{LABEL}.py"
WALLS = ("docker", "bubblewrap")  # those that promise isolation
GRACE_S = 15.0
SMALL = Limits(timeout_s=20.0, memory_mb=256, processes=24, disk_mb=16, stdout_mb=1)


@cache
def trouble(name: str) -> str | None:
    return MAKERS[name]().available()


@dataclass(frozen=True)
class Bench:
    """One sandbox, and a folder for what its runs leave."""

    name: str
    folder: Path

    def run(self, code: str, limits: Limits = SMALL, **more: object) -> RunResult:
        """Runs `code` as a script; checks that it came back in time and that nothing of it is left on the host."""
        began = time.monotonic()
        result = self.start(code, limits, **more)
        assert time.monotonic() - began < limits.timeout_s + GRACE_S
        assert leftovers() == [], f"{result.status}: {result.reason}"
        assert result.sandbox == self.name
        assert result.ok or result.reason, "a run that is not ok says why in a sentence"
        return result

    def start(
        self,
        code: str,
        limits: Limits = SMALL,
        data: Path | None = None,
        progress: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> RunResult:
        request = RunRequest({SCRIPT: textwrap.dedent(code)}, self.outputs, data, argv=(SCRIPT,), limits=limits, label=LABEL)
        return MAKERS[self.name]().run(request, progress, cancelled)

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs"


def bench(name: str, folder: Path) -> Bench:
    """Skips the test when that sandbox does not work here."""
    why = trouble(name)
    if why:
        pytest.skip(f"{name} sandbox: {why}")
    return Bench(name, folder)


def leftovers() -> list[str]:
    """What runs of this process have left: folders, processes of theirs, containers."""
    return [*_folders(), *_processes(), *_containers()]


def _folders() -> list[str]:
    mine = []
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            mine += [str(folder)] if f'"pid": "{os.getpid()}"' in (folder / "owner.json").read_text() else []
        except OSError:
            continue
    return mine


def _processes() -> list[str]:
    """Children of this process, and whatever else runs a script named as ours from outside any container."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if SCRIPT.encode() in words:
            found.append(f"process {entry.name}: {words}")
    return found


def _containers() -> list[str]:
    if trouble("docker"):
        return []
    listed = ["docker", "ps", "--all", "--quiet", "--filter", "label=agenticrs=1", "--filter", f"name=agenticrs-{LABEL}-"]
    return subprocess.run(listed, capture_output=True, text=True, check=True, timeout=20).stdout.split()
