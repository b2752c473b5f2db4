"""Right answers as the hidden truth: ranked lists over all items are judged by nDCG of their first 20, with recall beside it.

It judges ids only: what a run printed about itself is not read here. Notation: Q queries, K places of a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.compare.influence import mean_influence, mean_parts
from agents.compare.metric import SHORT, Metric
from agents.compare.paired import Paired, Runs, paired_difference
from agents.compare.question import ITEMS, Question
from agents.compare.scores import BadPredictions, Scores, TaskScore
from agents.compare.verdict import Rules
from sandboxes.kit.ranking import CUTOFF, LONGEST, NOTHING, Answers, ndcg_at, recall_at
from sandboxes.kit.schema import FIRST_ID

Lists = NDArray[np.int32]


@dataclass(frozen=True)
class ListTruth:
    """What was right for each query; ids of items lie in [2, `n_items`). `groups` (Q,) names the user of each query, if known."""

    answers: Answers
    n_items: int
    task: str = "label"
    groups: NDArray[np.int64] | None = None

    @property
    def question(self) -> Question:
        return ITEMS

    @property
    def tasks(self) -> tuple[str]:
        return (self.task,)

    def __len__(self) -> int:
        return len(self.answers)

    def check(self, predictions: Lists) -> None:
        """Raises `BadPredictions` unless they are lists (Q, 100) int32 of items, each at most once a list, or `NOTHING`."""
        check_lists(predictions, len(self), self.n_items)

    def collapse(self, predictions: Lists) -> str:
        """Why checked lists are a failed model, or "". The same list for every query is none: popularity ranks so."""
        if (predictions == NOTHING).all():
            return "all its lists are empty"
        return "" if self._rows(predictions, "ndcg").any() else f"no answer stands in the first {CUTOFF} of any of its lists"

    def too_small(self, rules: Rules) -> str:
        """Why these queries give no interval, or ""."""
        if len(self) >= max(rules.min_rows, 2):
            return ""
        return f"only {len(self)} test queries; at least {rules.min_rows} are needed"

    def judged(self) -> list[tuple[int, Metric]]:
        """Tasks and metrics that a difference can be told in, the primary ones first."""
        return [(0, metric) for metric in self.question.metrics]

    def primary(self, predictions: Lists) -> float:
        """The mean nDCG of the first 20. Raises `BadPredictions`."""
        self.check(predictions)
        return float(self._rows(predictions, "ndcg").mean())

    def score(self, predictions: Lists) -> Scores:
        """Means over queries, and the share of all items that stand in the first 20 of any list. Raises `BadPredictions`."""
        self.check(predictions)
        recall = {k: recall_at(predictions[:, :k], self.answers, k) for k in (SHORT, CUTOFF, LONGEST)}
        shown = np.unique(predictions[:, :CUTOFF])
        values = {
            "ndcg": ndcg_at(predictions[:, :CUTOFF], self.answers, CUTOFF).mean(),
            "recall": recall[CUTOFF].mean(),
            f"ndcg_at_{SHORT}": ndcg_at(predictions[:, :SHORT], self.answers, SHORT).mean(),
            f"recall_at_{SHORT}": recall[SHORT].mean(),
            f"recall_at_{LONGEST}": recall[LONGEST].mean(),
            "hit_rate": (recall[CUTOFF] > 0).mean(),
            f"hit_rate_at_{SHORT}": (recall[SHORT] > 0).mean(),
            "coverage": (shown != NOTHING).sum() / (self.n_items - FIRST_ID),
        }
        plain = {name: float(value) for name, value in values.items()}
        return Scores(tasks=(TaskScore(task=self.task, rows=len(self), values=plain, collapse=self.collapse(predictions)),))

    def reduce(self, runs: Sequence[Lists], task: int, metric: Metric) -> Runs:
        """Lists of several seeds as what comparisons need of them."""
        return Runs(*mean_parts([self._rows(lists, metric) for lists in runs]))

    def paired(self, candidate: Runs, baseline: Runs, task: int, metric: Metric) -> Paired:
        """Candidate minus baseline, both means over queries."""
        return paired_difference(candidate, baseline, mean_influence, self.groups)

    def _rows(self, predictions: Lists, metric: Metric) -> NDArray[np.float64]:
        """Each query's value (Q,)."""
        return (ndcg_at if metric == "ndcg" else recall_at)(predictions[:, :CUTOFF], self.answers, CUTOFF)


def check_lists(lists: Lists, queries: int, n_items: int) -> None:
    """Raises `BadPredictions` unless the array is int32, of shape (queries, 100), of items or `NOTHING`, none twice a row."""
    if not isinstance(lists, np.ndarray) or lists.dtype != np.int32:
        raise BadPredictions(f"lists are {getattr(lists, 'dtype', type(lists).__name__)}, not int32 ids of items")
    if lists.shape != (queries, LONGEST):
        raise BadPredictions(
            f"lists have shape {lists.shape}, not ({queries}, {LONGEST}) for {queries} queries and {LONGEST} places"
        )
    foreign = ((lists < FIRST_ID) | (lists >= n_items)) & (lists != NOTHING)
    if foreign.any():
        said = f"{int(foreign.sum()):,} of {lists.size:,} places hold no item's id, which lie in [{FIRST_ID}, {n_items:,})"
        raise BadPredictions(f"{said}, for example {lists[foreign].flat[0]}")
    ordered = np.sort(lists, axis=1)
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NOTHING)).any(1)
    if twice.any():
        raise BadPredictions(f"{int(twice.sum()):,} of {queries:,} lists hold an item twice")
