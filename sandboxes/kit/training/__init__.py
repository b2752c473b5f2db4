"""Training: one loop for every model, with stages, early stopping and per-seed determinism."""

from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.fit import EpochRecord, Fitted, TrainingDiverged, fit
from sandboxes.kit.training.goal import goal_of, policies, predictions, ranked_lists
from sandboxes.kit.training.model import build

__all__ = [
    "EpochRecord",
    "Fitted",
    "TrainConfig",
    "TrainingDiverged",
    "build",
    "fit",
    "goal_of",
    "policies",
    "predictions",
    "ranked_lists",
]
