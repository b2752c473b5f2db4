"""The hidden truth of a split, whatever was asked: all that comparing and scoring need to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.compare.labels import LabelTruth
from agents.compare.lists import ListTruth
from agents.compare.metric import Metric
from agents.compare.paired import Paired, Runs
from agents.compare.policies import PolicyTruth
from agents.compare.question import Question
from agents.compare.scores import Scores
from agents.compare.verdict import Rules
from sandboxes.kit.data import Prepared

Predictions = NDArray[Any]  # probabilities, lists or policies, as the question wants them; unchecked


class Truth(Protocol):
    """Its length is that of the split, in rows or queries. Tasks are meant by number; task 0 is the primary one."""

    @property
    def question(self) -> Question: ...

    @property
    def tasks(self) -> Sequence[str]: ...

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """The user of each row or query, None when unknown."""
        ...

    def __len__(self) -> int: ...

    def check(self, predictions: Predictions) -> None:
        """Raises `BadPredictions` unless they are of the form that the question wants."""
        ...

    def collapse(self, predictions: Predictions) -> str:
        """Why checked predictions are a failed model and not a result, as a clause, or ""."""
        ...

    def too_small(self, rules: Rules) -> str:
        """Why the split gives no interval worth its name, as a clause, or ""."""
        ...

    def judged(self) -> list[tuple[int, Metric]]:
        """Tasks and metrics that have intervals: the primary task's first, and of these the primary metric."""
        ...

    def primary(self, predictions: Predictions) -> float:
        """The primary metric of the primary task, NaN where it is not defined. Raises `BadPredictions`."""
        ...

    def score(self, predictions: Predictions) -> Scores:
        """Everything that a report shows of them. Raises `BadPredictions`."""
        ...

    def reduce(self, runs: Sequence[Predictions], task: int, metric: Metric) -> Runs:
        """Checked predictions of several seeds, reduced to what comparisons need."""
        ...

    def paired(self, candidate: Runs, baseline: Runs, task: int, metric: Metric) -> Paired:
        """Candidate minus baseline over the same seeds, with its uncertainty."""
        ...


def truth_of(prepared: Prepared, split: str) -> Truth:
    """The truth of "valid" or "test", from where only the host looks."""
    schema, groups = prepared.schema, prepared.groups(split)
    if schema.predicts == "items":
        return ListTruth(prepared.hidden_answers(split), schema.n_items, schema.tasks[0].name, groups)
    if schema.predicts == "actions":
        actions, propensity = prepared.hidden_answers(split).items, prepared.hidden_propensity(split)
        rewards = prepared.hidden_labels(split)[:, 0]
        return PolicyTruth(actions, propensity, rewards, schema.n_items, schema.tasks[0].name, groups)
    return LabelTruth(prepared.hidden_labels(split), [t.name for t in schema.tasks], groups)
