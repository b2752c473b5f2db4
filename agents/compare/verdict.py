"""From an interval to a verdict: the rule, and what each outcome means in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from agents.compare.metric import MEASURES, Metric

Verdict = Literal["better", "tie", "worse", "not comparable", "smoke"]
TieKind = Literal["", "equivalent", "too small", "undecided"]


@dataclass(frozen=True)
class Rules:
    """What a verdict asks for.

    `alpha` is the family-wise error over all baselines. A difference counts from 0.0005 on, in AUC and in log loss: half of
    0.001, which the literature on click prediction takes for an improvement worth reporting, so that a model truly 0.001
    better passes in spite of scatter; and above what seeds alone do to a large set (5e-5 to 2e-4 on Criteo). In nDCG and
    recall of the first 20 it counts from 0.002 on: seeds alone move a well-trained recommender over all items by 0.001 to
    0.003 on sets of the size of MovieLens-1M, so that a smaller difference is gone with the next draw of weights. In the value of
    a policy it counts from 0.0005 on: one more reward in 2000 decisions.

    Fewer than `min_seeds` seeds give no verdict; fewer than `min_rows` test rows of either class, test queries, or decisions
    rewarded or not, give no interval worth its name.
    """

    alpha: float = 0.05
    min_auc: float = 0.0005
    min_log_loss: float = 0.0005
    min_ndcg: float = 0.002
    min_recall: float = 0.002
    min_value: float = 0.0005
    min_seeds: int = 3
    min_rows: int = 10

    def __post_init__(self) -> None:
        least = min(self.min_effect(metric) for metric in get_args(Metric))
        if not (0 < self.alpha < 1 and least >= 0 and self.min_seeds >= 2):
            raise ValueError(f"rules out of range (a verdict needs at least 2 seeds): {self}")

    def min_effect(self, metric: Metric) -> float:
        by_metric: dict[Metric, float] = {
            "auc": self.min_auc,
            "log_loss": self.min_log_loss,
            "ndcg": self.min_ndcg,
            "recall": self.min_recall,
            "value": self.min_value,
        }
        return by_metric[metric]


def judge(metric: Metric, estimate: float, low: float, high: float, min_effect: float) -> tuple[Verdict, TieKind]:
    """The verdict on candidate minus baseline with its interval [low, high].

    better: the whole interval is on the good side and the estimate is at least the minimum effect; worse: the mirror image.
    Everything else is a tie, of one of three kinds: `equivalent`, the interval lies within the minimum effect, so any
    difference is too small to matter; `too small`, a difference is shown and its estimate is below the minimum effect;
    `undecided`, the interval holds 0 and also differences that would matter.
    """
    if not MEASURES[metric].higher_is_better:
        estimate, low, high = -estimate, -high, -low
    if low > 0 and estimate >= min_effect:
        return "better", ""
    if high < 0 and estimate <= -min_effect:
        return "worse", ""
    if -min_effect < low and high < min_effect:
        return "tie", "equivalent"
    return "tie", "too small" if low > 0 or high < 0 else "undecided"


def tie_in_words(kind: TieKind, baseline: str, metric: Metric, min_effect: float, reach: float) -> str:
    """What a tie means. `reach` is the largest difference that the interval still allows."""
    measure = MEASURES[metric]
    if kind == "equivalent":
        return f"equivalent to {baseline} (any {measure.words} difference is below {min_effect:g})"
    if kind == "too small":
        shown = f"{measure.article} {measure.words} difference is shown"
        return f"on a par with {baseline} ({shown}, smaller than the {min_effect:g} that counts)"
    return f"no difference from {baseline} shown (differences in {measure.words} up to {reach:.4f} remain possible)"
