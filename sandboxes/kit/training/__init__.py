"""Training: one loop for every model, with stages, early stopping and per-seed determinism."""

from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.fit import EpochRecord, Fitted, TrainingDiverged, fit, predictions
from sandboxes.kit.training.model import build

__all__ = ["EpochRecord", "Fitted", "TrainConfig", "TrainingDiverged", "build", "fit", "predictions"]
