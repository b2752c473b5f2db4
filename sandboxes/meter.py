"""The seconds that a run's jobs spend in sandboxes: added up over jobs, kept in a file, and held against a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sandboxes.json_lines import add_row, read_rows
from sandboxes.protocol import RunResult, Status

NOTE_S = 10.0  # a job that runs longer leaves a line so often: the most of it that a host which dies forgets


class Spell(BaseModel):
    """Seconds of one job in a sandbox. `status` is how the job ended with them; it is "running" where it had not ended."""

    model_config = ConfigDict(frozen=True)
    job: str  # its key
    action: str
    seconds: float
    status: Status | Literal["running"]


@dataclass(eq=False)
class _Running:
    job: str
    action: str
    since: float  # the clock when its last line was written


class Meter:
    """Counts jobs that run one after the other or side by side, from several threads: two jobs of a minute spend two minutes.

    `limit_s` bounds the sum of all spells, those in the file before included; without a file nothing is kept.
    """

    def __init__(
        self, file: Path | None = None, limit_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.spells = read_rows(file, Spell) if file else []
        self._file, self._limit_s, self._clock = file, limit_s, clock
        self._running: list[_Running] = []
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """All that is spent, by jobs that still run too."""
        with self._lock:
            now = self._clock()
            return sum(s.seconds for s in self.spells) + sum(now - r.since for r in self._running)

    @property
    def spent(self) -> bool:
        """Whether the limit is passed: no job may begin, and those that run must end."""
        return self._limit_s is not None and self.seconds > self._limit_s

    def count(self, job: str, action: str, run: Callable[[Callable[[], bool]], RunResult]) -> RunResult:
        """Runs a job, which is handed what it has to poll: whether the limit is passed. Its seconds count however it ends."""
        running = _Running(job, action, self._clock())
        with self._lock:
            self._running.append(running)
        status: Status = "cancelled"  # where an exception ends it
        try:
            result = run(lambda: self._polled(running))
            status = result.status
            return result
        finally:
            with self._lock:
                self._running.remove(running)
                self._note(running, status)

    def _polled(self, running: _Running) -> bool:
        with self._lock:
            if self._clock() - running.since >= NOTE_S:
                self._note(running, "running")
        return self.spent

    def _note(self, running: _Running, status: Status | Literal["running"]) -> None:
        now = self._clock()
        spell = Spell(job=running.job, action=running.action, seconds=now - running.since, status=status)
        running.since = now
        self.spells.append(spell)
        if self._file:
            add_row(self._file, spell)
