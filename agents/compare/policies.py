"""Logged decisions as the hidden truth: policies are judged by their value, estimated from actions, propensities and rewards.

It judges numbers only: what a run printed about itself, and a model's own estimates of rewards, are not read here.
Notation: n decisions, I ids of actions, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.compare.influence import mean_influence, ratio_parts
from agents.compare.metric import Metric
from agents.compare.paired import Paired, Runs, paired_difference
from agents.compare.question import ACTIONS, Question
from agents.compare.scores import BadPredictions, Scores, TaskScore
from agents.compare.verdict import Rules
from sandboxes.kit.off_policy import (
    effective_sample_size,
    inverse_propensity_value,
    self_normalised_value,
    weights_of,
)
from sandboxes.kit.schema import FIRST_ID

LEAST_EFFECTIVE = 30  # decisions of equal weight; of fewer a mean has no interval worth its name
SUM_TOLERANCE = 1e-3  # by which the probabilities of a row may miss 1: they are float32

Policy = NDArray[np.float32]


@dataclass(frozen=True)
class PolicyTruth:
    """What was done in each decision (n,): the action, an id below `n_items`; its probability then; and the reward, 0 or 1.

    An action that training did not know is the id 1, whose probability under every policy is 0. `groups` (n,) names the user of
    each decision, if known. Weights are capped at `sandboxes.kit.off_policy.MOST_WEIGHT`.
    """

    actions: NDArray[np.int32]
    propensity: NDArray[np.float32]
    rewards: NDArray[np.float32]
    n_items: int
    task: str = "reward"
    groups: NDArray[np.int64] | None = None

    @property
    def question(self) -> Question:
        return ACTIONS

    @property
    def tasks(self) -> tuple[str]:
        return (self.task,)

    def __len__(self) -> int:
        return len(self.actions)

    def check(self, predictions: Policy) -> None:
        """Raises `BadPredictions` unless they are policies (n, I): float, rows that add up to 1, of known actions alone."""
        check_policies(predictions, len(self), self.n_items)

    def collapse(self, predictions: Policy) -> str:
        """Why checked policies are a failed model, or "": too few decisions speak of them. To do what the logging policy does is
        no failure, nor is to do the same in every context."""
        effective = effective_sample_size(self._weights(predictions))
        if effective >= LEAST_EFFECTIVE:
            return ""
        return f"its actions were taken so seldom that {len(self):,} decisions say of it what {effective:.1f} would"

    def too_small(self, rules: Rules) -> str:
        """Why these decisions give no interval, or ""."""
        least = min(int((self.rewards == 1).sum()), int((self.rewards == 0).sum()))
        if least >= max(rules.min_rows, 2):
            return ""
        return f"only {least} test decisions of the rarer reward of {self.task}; at least {rules.min_rows} are needed"

    def judged(self) -> list[tuple[int, Metric]]:
        """Tasks and metrics that a difference can be told in."""
        return [(0, metric) for metric in self.question.metrics]

    def primary(self, predictions: Policy) -> float:
        """The self-normalised value, NaN where no action of the policy was ever taken. Raises `BadPredictions`."""
        self.check(predictions)
        return self_normalised_value(self._weights(predictions), self.rewards)

    def score(self, predictions: Policy) -> Scores:
        """Values of the policy and of what was logged, and of how many decisions they are worth. Raises `BadPredictions`."""
        self.check(predictions)
        weights = self._weights(predictions)
        values = {
            "value": self_normalised_value(weights, self.rewards),
            "ips": inverse_propensity_value(weights, self.rewards),
            "logged_value": float(self.rewards.mean(dtype=np.float64)),
            "effective_sample_size": effective_sample_size(weights),
        }
        defined = {name: value for name, value in values.items() if np.isfinite(value)}
        return Scores(tasks=(TaskScore(task=self.task, rows=len(self), values=defined, collapse=self.collapse(predictions)),))

    def reduce(self, runs: Sequence[Policy], task: int, metric: Metric) -> Runs:
        """Policies of several seeds as what comparisons need of them."""
        return Runs(*ratio_parts([self._weights(policy) for policy in runs], self.rewards.astype(np.float64)))

    def paired(self, candidate: Runs, baseline: Runs, task: int, metric: Metric) -> Paired:
        """Candidate minus baseline, by their linearised values."""
        return paired_difference(candidate, baseline, mean_influence, self.groups)

    def _weights(self, policy: Policy) -> NDArray[np.float64]:
        return weights_of(policy, self.actions, self.propensity)


def check_policies(policies: Policy, rows: int, n_items: int) -> None:
    """Raises `BadPredictions` unless the array is float, of shape (rows, n_items), and every row a distribution over actions."""
    if not isinstance(policies, np.ndarray) or not np.issubdtype(policies.dtype, np.floating):
        raise BadPredictions(f"policies are {getattr(policies, 'dtype', type(policies).__name__)}, not floating-point numbers")
    if policies.shape != (rows, n_items):
        raise BadPredictions(
            f"policies have shape {policies.shape}, not ({rows}, {n_items}) for {rows} decisions and {n_items} ids of actions"
        )
    wrong = ~np.isfinite(policies) | (policies < 0)
    if wrong.any():
        raise BadPredictions(f"{int(wrong.sum()):,} of {policies.size:,} probabilities are negative, NaN or infinite")
    if (policies[:, :FIRST_ID] != 0).any():
        raise BadPredictions(f"ids below {FIRST_ID}, which are no actions, have a probability")
    off = np.abs(policies.sum(1, dtype=np.float64) - 1) > SUM_TOLERANCE
    if off.any():
        raise BadPredictions(f"the probabilities of {int(off.sum()):,} of {rows:,} decisions do not add up to 1")
