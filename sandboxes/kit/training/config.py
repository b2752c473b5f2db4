"""How one model is trained once: everything that a comparison must hold equal or report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Updates = Literal["whole", "touched"]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training run. Early stopping watches the primary task's AUC on valid, once an epoch.

    `embedding_l2` is the weight of the L2 penalty on embedding tables, applied at every step (its gradient is
    `embedding_l2 * weight`). `patience` counts epochs without improvement before training stops.

    Three decide about speed, and `calibration` measures which to take. `updates`: the rows of embedding tables that are
    updated at a step, all or those that the batch looked up, which ends in the same place (see `kernels.touched_rows`); with an
    L2 penalty every row moves at every step, so then it is the whole table. `precision` of matrix products: bf16 rounds them to
    eight bits. `compiled`: whether torch compiles the model.

    `processes` train together on a machine, with `threads` each; `batch_size` is that of all of them (see `training.parallel`).
    `share` of the training rows, drawn by the seed, are used: less than all to see cheaply whether a model learns at all.

    `task_weights` are those of the tasks' losses, in the order of the schema; without any, each counts once. A model with a loss
    of its own weighs its tasks itself: it refuses them.
    """

    seed: int = 0
    learning_rate: float = 1e-3
    embedding_l2: float = 0.0
    batch_size: int = 2048
    max_epochs: int = 5
    patience: int = 1
    threads: int = 1
    updates: Updates = "whole"
    precision: Precision = "fp32"
    compiled: bool = False
    processes: int = 1
    share: float = 1.0
    task_weights: Sequence[float] = ()

    def __post_init__(self) -> None:
        if (
            min(self.batch_size, self.max_epochs, self.threads, self.processes) < 1
            or self.learning_rate <= 0
            or self.embedding_l2 < 0
            or not 0 < self.share <= 1
        ):
            raise ValueError(f"training settings out of range: {self}")
        if self.updates not in ("whole", "touched") or self.precision not in ("fp32", "bf16"):
            raise ValueError(f"no such way to train: {self}")
        if self.task_weights and not (all(0 <= w < math.inf for w in self.task_weights) and any(self.task_weights)):
            raise ValueError(f"weights of tasks are numbers from 0 on, of which one is more: {self.task_weights}")
        object.__setattr__(self, "task_weights", tuple(self.task_weights))  # a job's settings come as JSON, which has lists
