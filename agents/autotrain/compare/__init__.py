"""Whether a candidate is better than its baselines: scores from hidden truth, paired differences, verdicts."""

from agents.autotrain.compare.calibration import CalibrationBin, calibration
from agents.autotrain.compare.claims import ClaimRow, beside_claims
from agents.autotrain.compare.compare import Trained, compare
from agents.autotrain.compare.comparison import BaselineRow, Comparison, Effect
from agents.autotrain.compare.labels import LabelTruth, paired_over_seeds
from agents.autotrain.compare.lists import ListTruth
from agents.autotrain.compare.metric import MEASURES, Metric
from agents.autotrain.compare.paired import Paired
from agents.autotrain.compare.policies import PolicyTruth
from agents.autotrain.compare.question import ACTIONS, ITEMS, LABELS, QUESTIONS, Question
from agents.autotrain.compare.scores import BadPredictions, Scores, TaskScore
from agents.autotrain.compare.truth import Truth, truth_of
from agents.autotrain.compare.verdict import Rules, TieKind, Verdict, judge

__all__ = [
    "ACTIONS",
    "ITEMS",
    "LABELS",
    "MEASURES",
    "QUESTIONS",
    "BadPredictions",
    "BaselineRow",
    "CalibrationBin",
    "ClaimRow",
    "Comparison",
    "Effect",
    "LabelTruth",
    "ListTruth",
    "Metric",
    "Paired",
    "PolicyTruth",
    "Question",
    "Rules",
    "Scores",
    "TaskScore",
    "TieKind",
    "Trained",
    "Truth",
    "Verdict",
    "beside_claims",
    "calibration",
    "compare",
    "judge",
    "paired_over_seeds",
    "truth_of",
]
