"""What is remembered: append-only typed records with lineage, each pointing at its MLflow run and its parents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Record(BaseModel):
    """Common to all records. `id` is stable: writing the same thing twice leaves one record. `parents` are record ids."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    created: str = Field(default_factory=now)
    parents: tuple[str, ...] = ()
    mlflow_run: str = ""

    def text(self) -> str:
        """What recall embeds: the record in words."""
        raise NotImplementedError


class PaperRecord(Record):
    kind: Literal["paper"] = "paper"
    title: str
    source: str
    abstract: str

    def text(self) -> str:
        return f"{self.title}. {self.abstract}"


class MethodRecord(Record):
    """A paper's method as it was understood. `mechanisms` are the names of the blocks that implement it."""

    kind: Literal["method"] = "method"
    name: str
    task: str
    mechanisms: tuple[str, ...]
    unclear: tuple[str, ...] = ()

    def text(self) -> str:
        return f"{self.task} model {self.name} with {', '.join(self.mechanisms)}. Not covered: {' '.join(self.unclear)}"


class RunRecord(Record):
    """One reproduction: what was compared with what, on which data, by which code."""

    kind: Literal["run"] = "run"
    dataset: str
    data_hash: str
    code_hash: str
    candidate: str
    baselines: tuple[str, ...]
    seeds: int
    trials: int
    sandbox: str
    samples_per_s: float = 0.0

    def text(self) -> str:
        return f"{self.candidate} against {', '.join(self.baselines)} on {self.dataset}"


class OutcomeRecord(Record):
    """How a run ended. `verdict` is empty when none was reached; `reason` says why in one sentence."""

    kind: Literal["outcome"] = "outcome"
    status: str
    verdict: str = ""
    reason: str
    metrics: dict[str, float] = {}

    def text(self) -> str:
        return f"{self.status} {self.verdict}: {self.reason}"


class LessonRecord(Record):
    """A short claim with its evidence. Negative lessons are kept with their reasons and read before any proposal."""

    kind: Literal["lesson"] = "lesson"
    claim: str
    polarity: Literal["positive", "negative", "neutral"]
    scope: str  # the data set and task that it was seen on
    reason: str
    evidence: tuple[str, ...]  # ids of runs

    def text(self) -> str:
        return f"{self.claim} ({self.scope}): {self.reason}"


AnyRecord = Annotated[PaperRecord | MethodRecord | RunRecord | OutcomeRecord | LessonRecord, Field(discriminator="kind")]
Kind = Literal["paper", "method", "run", "outcome", "lesson"]

READ: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)
