"""The comparison as data: what a run folder keeps and a report shows."""

from __future__ import annotations

from agents.compare.metric import MEASURES, Metric
from agents.compare.question import QUESTIONS, Question
from agents.compare.verdict import TieKind, Verdict
from agents.strict import Strict
from sandboxes.kit.schema import Predicts


class Effect(Strict):
    """Candidate minus baseline in one metric of one task, over paired seeds; `per_seed` is in the order of the seeds.

    [low, high] holds the difference on new seeds and new test rows with probability `confidence` at least. `seed_share` is
    the part of the variance that comes from seeds; the rest comes from which rows are in the test split.
    """

    task: str
    metric: Metric
    estimate: float
    low: float
    high: float
    confidence: float
    p_value: float
    seed_share: float
    per_seed: tuple[float, ...]

    @property
    def helps(self) -> bool | None:
        """True when the candidate is shown better, False when worse, None when the interval holds 0."""
        if self.low <= 0 <= self.high:
            return None
        return (self.estimate > 0) == MEASURES[self.metric].higher_is_better

    def in_words(self) -> str:
        """For example "AUC +0.0021 [+0.0009, +0.0033]"."""
        return f"{MEASURES[self.metric].words} {self.numbers}"

    @property
    def numbers(self) -> str:
        """Estimate and interval alone: "+0.0021 [+0.0009, +0.0033]"."""
        digits = 5 if max(abs(self.low), abs(self.high)) < 0.001 else 4
        low, high = (f"{x:+.{digits}f}" for x in (self.low, self.high))
        return f"{self.estimate:+.{digits}f} [{low}, {high}]"


class BaselineRow(Strict):
    """The candidate against one baseline. `effects`: the primary metric, the primary task's other ones, then other tasks."""

    baseline: str
    verdict: Verdict
    tie: TieKind = ""
    reason: str = ""  # why it is not comparable
    valid: float | None = None  # primary metric of the baseline, mean over seeds: what the strongest is chosen by
    effects: tuple[Effect, ...] = ()
    sentence: str

    @property
    def primary(self) -> Effect | None:
        return self.effects[0] if self.effects else None

    def effect(self, metric: Metric) -> Effect | None:
        """That of the primary task."""
        return next((e for e in self.effects if e.metric == metric and e.task == self.effects[0].task), None)


class Comparison(Strict):
    """A candidate against all baselines on one test split.

    The overall verdict is the row of `strongest`, the comparable baseline with the best primary metric on valid, never on test.
    """

    verdict: Verdict
    sentence: str  # for a person, complete in itself
    seeds: tuple[int, ...]
    strongest: str = ""
    rows: tuple[BaselineRow, ...] = ()
    predicts: Predicts = "labels"
    min_effect: float  # in the primary metric
    alpha: float
    test_rows: int  # or queries
    clusters: int | None  # users among the test rows; None when rows are taken as independent
    notes: tuple[str, ...] = ()

    @property
    def question(self) -> Question:
        return QUESTIONS[self.predicts]

    def row(self, baseline: str) -> BaselineRow | None:
        return next((r for r in self.rows if r.baseline == baseline), None)
