"""How one model is trained once: everything that a comparison must hold equal or report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training run. Early stopping watches the primary task's AUC on valid, once an epoch.

    `embedding_l2` is the weight of the L2 penalty on embedding tables, applied at every step (its gradient is
    `embedding_l2 * weight`). `patience` counts epochs without improvement before training stops.
    """

    seed: int = 0
    learning_rate: float = 1e-3
    embedding_l2: float = 0.0
    batch_size: int = 2048
    max_epochs: int = 5
    patience: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        if min(self.batch_size, self.max_epochs, self.threads) < 1 or self.learning_rate <= 0 or self.embedding_l2 < 0:
            raise ValueError(f"training settings out of range: {self}")
