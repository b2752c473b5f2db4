"""The comparison as data: what a run folder keeps and a report shows."""

from __future__ import annotations

from agents.autotrain.compare.paired import Metric
from agents.autotrain.compare.verdict import HIGHER_IS_BETTER, METRIC_NAMES, TieKind, Verdict
from agents.autotrain.spec import Strict


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
        return (self.estimate > 0) == HIGHER_IS_BETTER[self.metric]

    def in_words(self) -> str:
        """For example "AUC +0.0021 [+0.0009, +0.0033]"."""
        digits = 5 if max(abs(self.low), abs(self.high)) < 0.001 else 4
        low, high = (f"{x:+.{digits}f}" for x in (self.low, self.high))
        return f"{METRIC_NAMES[self.metric]} {self.estimate:+.{digits}f} [{low}, {high}]"


class BaselineRow(Strict):
    """The candidate against one baseline. `effects` holds the primary task's AUC first, then its log loss, then other tasks."""

    baseline: str
    verdict: Verdict
    tie: TieKind = ""
    reason: str = ""  # why it is not comparable
    valid_auc: float | None = None  # of the baseline, mean over seeds: what the strongest is chosen by
    effects: tuple[Effect, ...] = ()
    sentence: str

    @property
    def primary(self) -> Effect | None:
        return self.effects[0] if self.effects else None


class Comparison(Strict):
    """A candidate against all baselines on one test split.

    The overall verdict is the row of `strongest`, the comparable baseline with the best AUC on valid, never on test.
    """

    verdict: Verdict
    sentence: str  # for a person, complete in itself
    seeds: tuple[int, ...]
    strongest: str = ""
    rows: tuple[BaselineRow, ...] = ()
    min_auc: float
    min_log_loss: float
    alpha: float
    test_rows: int
    clusters: int | None  # users among the test rows; None when rows are taken as independent
    notes: tuple[str, ...] = ()

    def row(self, baseline: str) -> BaselineRow | None:
        return next((r for r in self.rows if r.baseline == baseline), None)
