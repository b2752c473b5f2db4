"""What a data set asks of a model, and what it is therefore judged by: the words and names, without any data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agents.compare.metric import MEASURES, SHORT, Measure, Metric
from sandboxes.kit.ranking import LONGEST
from sandboxes.kit.schema import Predicts


@dataclass(frozen=True)
class Question:
    """One of the three questions.

    `metrics` are those that have intervals, the first being the one that tuning, early stopping and verdicts go by; `scores`
    are all that is measured, `columns` those that a report's table shows. `rows` is what several test cases are called,
    `answers` what of them is hidden.
    """

    predicts: Predicts
    metrics: tuple[Metric, ...]
    scores: tuple[str, ...]
    columns: tuple[str, ...]
    rows: str
    answers: str

    @property
    def primary(self) -> Metric:
        return self.metrics[0]

    @property
    def measure(self) -> Measure:
        """Of the primary metric."""
        return MEASURES[self.primary]


_OF_LABELS = ("auc", "log_loss", "group_auc")
_OF_LISTS = ("ndcg", "recall", f"ndcg_at_{SHORT}", f"recall_at_{SHORT}", f"recall_at_{LONGEST}", "coverage")

LABELS = Question("labels", ("auc", "log_loss"), _OF_LABELS, _OF_LABELS, rows="rows", answers="labels")
ITEMS = Question(
    "items",
    ("ndcg", "recall"),
    (*_OF_LISTS, "hit_rate", f"hit_rate_at_{SHORT}"),  # hit rates only where papers claim them
    _OF_LISTS,
    rows="queries",
    answers="answers",
)
# The value is the self-normalised estimate, in rewards a decision; that of what was logged is the same for every model.
_OF_POLICIES = ("value", "ips", "logged_value", "effective_sample_size")
ACTIONS = Question("actions", ("value",), _OF_POLICIES, _OF_POLICIES, rows="decisions", answers="actions and rewards")
QUESTIONS: Mapping[Predicts, Question] = MappingProxyType({q.predicts: q for q in (LABELS, ITEMS, ACTIONS)})
