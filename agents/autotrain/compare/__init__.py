"""Whether a candidate is better than its baselines: scores from hidden labels, paired differences, verdicts."""

from agents.autotrain.compare.calibration import CalibrationBin, calibration
from agents.autotrain.compare.claims import ClaimRow, beside_claims
from agents.autotrain.compare.compare import Trained, Truth, compare
from agents.autotrain.compare.comparison import BaselineRow, Comparison, Effect
from agents.autotrain.compare.paired import Paired, paired_over_seeds
from agents.autotrain.compare.scores import BadPredictions, Scores, TaskScore, check_predictions, score
from agents.autotrain.compare.verdict import Rules, TieKind, Verdict, judge

__all__ = [
    "BadPredictions",
    "BaselineRow",
    "CalibrationBin",
    "ClaimRow",
    "Comparison",
    "Effect",
    "Paired",
    "Rules",
    "Scores",
    "TaskScore",
    "TieKind",
    "Trained",
    "Truth",
    "Verdict",
    "beside_claims",
    "calibration",
    "check_predictions",
    "compare",
    "judge",
    "paired_over_seeds",
    "score",
]
