"""What is remembered: typed records with lineage, each pointing at its MLflow run and its parents.

Every record says where it belongs (agent, data set, task) and what came of it (`outcome`), so that recall can be narrowed.
There are two ladders from coarse to fine: paper, section, mechanism; and run, decision. A change of a field's name or meaning
is a new version: see `versions.py`.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

Polarity = Literal["positive", "negative", "neutral"]
SHORT = 80  # characters of a value that are embedded with its decision: one may hold a whole program


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Time = Annotated[str, AfterValidator(_time)]  # ISO 8601, UTC unless it says otherwise


class Record(BaseModel):
    """Common to all records. `id` is stable: writing the same thing twice leaves one record. `parents` are record ids."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")

    id: str = Field(min_length=1, max_length=200)
    created: Time = Field(default_factory=now)
    parents: tuple[str, ...] = ()
    mlflow_run: str = ""
    agent: str = ""  # whose step wrote it
    dataset: str = ""
    task: str = ""

    @property
    def outcome(self) -> str:
        """What came of it, in a word to filter by; "" where nothing can have."""
        return ""

    @property
    def topic(self) -> str:
        """Equal for records that speak of the same; "" where that is not to be known."""
        return ""

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


class SectionRecord(Record):
    """A part of a paper: its heading and how it begins."""

    kind: Literal["section"] = "section"
    title: str
    beginning: str

    def text(self) -> str:
        return f"{self.title}. {self.beginning}"


class MethodRecord(Record):
    """A paper's method as it was understood. `mechanisms` are the names of the blocks that implement it."""

    kind: Literal["method"] = "method"
    name: str
    mechanisms: tuple[str, ...]
    unclear: tuple[str, ...] = ()

    def text(self) -> str:
        return f"{self.task} model {self.name} with {', '.join(self.mechanisms)}. Not covered: {' '.join(self.unclear)}"


class MechanismRecord(Record):
    """One mechanism of a method: what the paper says of it, and the block that implements it, "" without one."""

    kind: Literal["mechanism"] = "mechanism"
    name: str
    block: str = ""
    quote: str = ""

    def text(self) -> str:
        return f"{self.name} ({self.block or 'no block'}): {self.quote}"


class RunRecord(Record):
    """One reproduction: what was compared with what, on which data, by which code.

    `configuration` is the canonical hash of what was tried (`agents.autotrain.configuration`), "" where it is not known.
    """

    kind: Literal["run"] = "run"
    data_hash: str
    code_hash: str
    configuration: str = ""
    candidate: str
    baselines: tuple[str, ...]
    seeds: int
    first_seed: int = 1  # the seeds are this one and those that follow
    trials: int
    sandbox: str
    samples_per_s: float = 0.0

    @property
    def topic(self) -> str:
        return self.configuration

    def text(self) -> str:
        return f"{self.candidate} against {', '.join(self.baselines)} on {self.dataset}"


class DecisionRecord(Record):
    """What an agent chose, among what, in which state, and why. `relied_on` are ids of the lessons that it was shown."""

    kind: Literal["decision"] = "decision"
    state: str
    alternatives: tuple[str, ...]
    choice: str
    rationale: str
    relied_on: tuple[str, ...] = ()

    def text(self) -> str:
        return f"{self.state}: {self.choice}, because {self.rationale}"


class OutcomeRecord(Record):
    """How a run ended. `verdict` is empty when none was reached; `reason` says why in one sentence."""

    kind: Literal["outcome"] = "outcome"
    status: str
    verdict: str = ""
    reason: str
    metrics: dict[str, float] = {}

    @property
    def outcome(self) -> str:
        return self.verdict or self.status

    def text(self) -> str:
        where = f" on {self.dataset}" if self.dataset else ""
        return f"{self.status} {self.verdict}{where}: {self.reason}"


class LessonRecord(Record):
    """What one run says for or against `subject`: a piece of evidence, which `beliefs.py` weighs with others.

    Negative lessons are kept with their reasons and read before any proposal.
    """

    kind: Literal["lesson"] = "lesson"
    subject: str  # what it is about, in the same words whenever it is about the same
    claim: str
    polarity: Polarity
    reason: str
    evidence: tuple[str, ...]  # ids of runs
    data_hash: str = ""

    @property
    def outcome(self) -> str:
        return self.polarity

    @property
    def topic(self) -> str:
        return hashlib.sha256("\0".join((self.subject, self.dataset, self.task)).encode()).hexdigest()[:16]

    def text(self) -> str:
        return f"{self.claim} ({', '.join(filter(None, (self.dataset, self.task)))}): {self.reason}"


def _finite(values: dict[str, Plain]) -> dict[str, Plain]:
    if any(isinstance(v, float) and not math.isfinite(v) for v in values.values()):
        raise ValueError("a number that is none cannot be told from a word")
    return values


Plain = bool | int | float | str
Values = Annotated[dict[str, Plain], AfterValidator(_finite)]


class RewardRecord(Record):
    """What a decision earned by the inner measure of the agent that took it, and whether what it changed is kept.

    `value`, between `low` and `high`, is in the unit that `measure` names; without them nothing was measured, and `reason` says
    why. `decision` is complete, so that it can be taken again, and so is `instead_of`, what stood in its place. `figures` are
    what else was measured and what it cost, by names with units.
    """

    kind: Literal["reward"] = "reward"
    measure: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    accepted: bool
    reason: str
    decision: Values
    instead_of: Values = {}
    figures: dict[str, float] = {}
    data_hash: str = ""

    @property
    def outcome(self) -> str:
        return "accepted" if self.accepted else "unmeasured" if self.value is None else "rejected"

    def text(self) -> str:
        chosen = ", ".join(f"{name} {value}" for name, value in self.decision.items() if len(str(value)) <= SHORT)
        return f"{self.outcome} on {self.dataset}: {chosen}: {self.reason}"


FeatureState = Literal["proposed", "trial", "active", "retired"]


class FeatureRecord(Record):
    """A feature of a data set, and where it stands: proposed, on trial, active, or retired, which is also what a trial that
    showed no worth comes to. Each state is a revision of the record, and its reason is a sentence.

    `change` is complete, as JSON, so that it can be made again; `gain`, between `low` and `high`, is in AUC, as last measured.
    """

    kind: Literal["feature"] = "feature"
    name: str
    change: str
    state: FeatureState
    reason: str
    model: str = ""  # by which it was judged
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    data_hash: str = ""

    @property
    def outcome(self) -> str:
        return self.state

    @property
    def topic(self) -> str:
        return hashlib.sha256("\0".join((self.change, self.dataset, self.task)).encode()).hexdigest()[:16]

    def text(self) -> str:
        return f"{self.state} feature {self.name} of {self.dataset}: {self.reason}"


AnyRecord = Annotated[
    PaperRecord
    | SectionRecord
    | MethodRecord
    | MechanismRecord
    | RunRecord
    | DecisionRecord
    | OutcomeRecord
    | RewardRecord
    | FeatureRecord
    | LessonRecord,
    Field(discriminator="kind"),
]
Kind = Literal["paper", "section", "method", "mechanism", "run", "decision", "outcome", "reward", "feature", "lesson"]

READ: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)
