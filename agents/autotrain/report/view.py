"""Everything a report may show. All parts but the first few are optional: a run that ended early has a short, honest report.

Strings from papers, models and sandboxes go in as they are; escaping is the renderer's work.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agents.autotrain.fidelity import LeafRow
from agents.autotrain.plan import ExperimentPlan
from agents.autotrain.recall import Recall
from agents.autotrain.results import ModelResult
from agents.autotrain.search import Origin
from agents.autotrain.spec import MethodSpec
from agents.compare.claims import ClaimRow
from agents.compare.comparison import Comparison
from agents.compare.question import LABELS, Question
from agents.compare.scores import Scores
from agents.strict import Strict

Outcome = Literal["done", "known", "out_of_scope", "declined", "no_candidate", "stopped", "failed"]


class PaperView(Strict):
    """What was read. `pages` is 0 when the format has none."""

    title: str
    source: str
    format: str
    words: int
    pages: int = 0
    sections: int = 0
    equations: int = 0
    tables: int = 0
    notes: tuple[str, ...] = ()  # what reading could not do


class LeakCheck(Strict):
    name: str
    passed: bool
    detail: str = ""


class DataView(Strict):
    """The prepared data set. `facts` are further named values (provenance, licence, settings), shown in order."""

    name: str
    synthetic: bool
    data_hash: str
    sizes: dict[str, int]  # rows by split
    positive_rates: dict[str, float] = Field(default_factory=dict)  # by task, on train
    facts: dict[str, str] = Field(default_factory=dict)
    leak_checks: tuple[LeakCheck, ...] = ()


class SmokeCheck(Strict):
    name: str
    passed: bool
    detail: str = ""


class Paid(Strict):
    """What some calls of a language model came to. `usd` is None where no price is known."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    seconds: float


class AttemptView(Strict):
    """One candidate's code: where it came from, and what policy, smoke tests, a sample of the data and the review said of it."""

    number: int
    origin: Origin = "draft"
    parent: int | None = None  # the attempt that it changes
    policy: tuple[str, ...] = ()  # empty when it passed
    checks: tuple[SmokeCheck, ...] = ()
    sample: str = ""  # what training on a sample came to
    fidelity: float | None = None  # the share of the rubric that is met, None before a review
    failed_at: str = ""
    fault: str = ""  # why it was rejected, "" for one that passed
    patch: str = ""  # what it changes of its parent, as a unified diff
    cost: Paid | None = None  # what was paid for it


class CodeView(Strict):
    """The candidate's model.py as trained, and what was simplified or left out."""

    text: str
    composed: bool
    code_hash: str
    notes: tuple[str, ...] = ()


class FidelityView(Strict):
    """How a mechanism of the spec stands in the code; `lines` are 1-based, inclusive."""

    mechanism: str  # Mechanism.id
    name: str
    status: Literal["implemented", "simplified", "missing"]
    lines: tuple[int, int] | None = None
    note: str = ""


class ModelView(Strict):
    """One model: its runs, and the host's scores of its test predictions by seed (fewer than seeds when some failed)."""

    result: ModelResult
    test: dict[int, Scores] = Field(default_factory=dict)
    valid: dict[int, float] = Field(default_factory=dict)  # the primary metric by seed, scored by the host

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def samples_per_s(self) -> float | None:
        rates = [s.samples_per_s for s in self.result.seeds if s.samples_per_s > 0]
        return sum(rates) / len(rates) if rates else None


class AblationView(Strict):
    """The candidate without one mechanism, compared with the whole candidate as a baseline would be (without minus with)."""

    mechanism: str
    name: str
    comparison: Comparison | None = None
    note: str = ""  # why there is none
    parameters: tuple[int, int] = (0, 0)  # without it, and of the whole candidate; 0 where they are not known


class CostView(Strict):
    """What the run took. `llm_usd` is None where the price of a call is not known."""

    seconds: float
    training_seconds: float = 0.0
    runs: int = 0
    reused_runs: int = 0
    sandbox_seconds: float = 0.0  # of all jobs that this run paid for, ended early or not
    llm: str = ""  # provider:model, "" for the built-in engine
    llm_input_tokens: int = 0
    llm_output_tokens: int = 0
    llm_usd: float | None = None
    llm_steps: dict[str, Paid] = Field(default_factory=dict)


class Failed(Strict):
    """Something that went wrong and was not hidden: at which step, and what was said."""

    stage: str
    message: str


class ReportView(Strict):
    """A reproduction as a report shows it."""

    run_id: str
    created: str
    outcome: Outcome
    reason: str = ""  # one sentence, for outcomes other than "done"
    engine: str = "builtin"
    paper: PaperView | None = None
    spec: MethodSpec | None = None
    recall: Recall | None = None
    plan: ExperimentPlan | None = None
    data: DataView | None = None
    attempts: tuple[AttemptView, ...] = ()
    code: CodeView | None = None
    paper_parameters: str = ""  # the parameter count the paper states, in its words
    models: tuple[ModelView, ...] = ()  # the candidate first
    comparison: Comparison | None = None
    claims: tuple[ClaimRow, ...] = ()
    fidelity: tuple[FidelityView, ...] = ()
    rubric: tuple[LeafRow, ...] = ()
    ablation: AblationView | None = None
    cost: CostView | None = None
    sandbox: str = ""
    sandbox_note: str = ""  # what that sandbox guards, in one sentence
    environment: dict[str, str] = Field(default_factory=dict)  # versions, hashes, machine, in the order to show
    command: str = ""  # runs it again
    failures: tuple[Failed, ...] = ()

    @property
    def question(self) -> Question:
        """What the data asks, as far as the run came to know."""
        known = self.plan or self.comparison
        return known.question if known else LABELS
