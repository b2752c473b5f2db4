"""Whether a candidate is better than its baselines: scores from hidden truth, paired differences, verdicts."""

from agents.compare.calibration import CalibrationBin, calibration
from agents.compare.claims import ClaimRow, beside_claims
from agents.compare.compare import Trained, compare
from agents.compare.comparison import BaselineRow, Comparison, Effect
from agents.compare.labels import LabelTruth, paired_over_seeds
from agents.compare.lists import ListTruth
from agents.compare.metric import MEASURES, Metric
from agents.compare.paired import Paired
from agents.compare.policies import PolicyTruth
from agents.compare.question import ACTIONS, ITEMS, LABELS, QUESTIONS, Question
from agents.compare.scores import BadPredictions, Scores, TaskScore
from agents.compare.truth import Truth, truth_of
from agents.compare.verdict import Rules, TieKind, Verdict, judge

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
