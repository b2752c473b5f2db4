"""What a finished training scores on valid: the number that tuning goes by, whoever tunes."""

from __future__ import annotations

from agents.compare.scores import BadPredictions
from agents.compare.truth import Truth
from sandboxes.jobs import Finished


def valid_score(finished: Finished, valid: Truth) -> float:
    """The primary metric, scored here; NaN for a run that failed or left what cannot be scored."""
    if not finished.run.ok:
        return float("nan")
    try:
        return valid.primary(finished.predictions("valid"))
    except BadPredictions:
        return float("nan")
