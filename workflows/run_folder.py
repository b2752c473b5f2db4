"""A run's folder: everything a reproduction leaves, one typed file a step, each written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)
FlowName = Literal["reproduction", "features"]


class RunBusy(RuntimeError):
    """Another process works on this run."""


class RunFolder:
    """`<home>/runs/<run id>/`. Reading what was never written raises `FileNotFoundError`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def run_id(self) -> str:
        return self.root.name

    def path(self, name: str) -> Path:
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def write_text(self, name: str, text: str) -> Path:
        """Writes the file whole: a crash leaves the old one or the new one."""
        place = self.path(name)
        fresh = place.with_name(f".{place.name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        return fresh.replace(place)

    def read_text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()

    def save(self, name: str, content: BaseModel) -> None:
        self.write_text(f"{name}.json", content.model_dump_json(indent=1))

    def load(self, name: str, model: type[M]) -> M:
        return model.model_validate_json(self.read_text(f"{name}.json"))

    @property
    def summary(self) -> Summary:
        return self.load("summary", Summary)

    def update_summary(self, **changes: str | float | None) -> Summary:
        """Changes fields of the run's one-line summary."""
        changed = self.summary.model_copy(update=changes)
        self.save("summary", changed)
        return changed

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the run for this process; the lock goes with the process, however it ends. Raises `RunBusy`."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunBusy(f"run {self.run_id} is being worked on by another process; wait for it or stop it") from None
            yield


class Summary(BaseModel):
    """A run in one line, kept current: what `agenticrs runs` lists."""

    run_id: str
    created: str
    flow: FlowName = "reproduction"
    paper: str  # of other flows than a reproduction, what the run is about
    title: str = ""
    dataset: str = ""
    engine: str = "builtin"
    status: str = "running"  # running, waiting, done, out_of_scope, no_candidate, declined, stopped, budget_exhausted, failed
    stage: str = ""
    verdict: str = ""
    reason: str = ""
    seconds: float = 0.0
    tokens: int = 0  # of a language model, in and out
    cost_usd: float | None = None  # of those tokens; None where a price is not known
    sandbox_seconds: float = 0.0  # of all jobs, added up

    @property
    def status_in_words(self) -> str:
        return self.status.replace("_", " ")

    @property
    def cost_in_words(self) -> str:
        """The language model's cost; "" where none was asked."""
        if not self.tokens:
            return ""
        return "unknown" if self.cost_usd is None else f"${self.cost_usd:.4f}"


def list_runs(home: Path) -> list[Summary]:
    """All runs under `home`, newest first."""
    found = []
    for path in (home / "runs").glob("*/summary.json"):
        try:
            found.append(Summary.model_validate_json(path.read_text(encoding="utf-8")))
        except (ValueError, json.JSONDecodeError):
            continue
    return sorted(found, key=lambda s: s.created, reverse=True)
