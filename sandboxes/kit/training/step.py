"""One training step: loss, gradients, update; in the precision, and compiled or not, as the settings say."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.model import loss_of
from sandboxes.kit.training.optimiser import Optimiser


def step_function(model: nn.Module, stage: Stage, optimiser: Optimiser, config: TrainConfig) -> Callable[[Batch], Tensor]:
    """(batch) -> its loss before the step, a detached scalar."""

    def loss_on(batch: Batch) -> Tensor:
        with torch.autocast(batch.ids.device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            return loss_of(model, stage, batch)

    compiled = torch.compile(loss_on, dynamic=False) if config.compiled else loss_on

    def take_step(batch: Batch) -> Tensor:
        # A batch of another size, as the last one of an epoch, would be compiled anew.
        loss: Tensor = (compiled if len(batch) == config.batch_size else loss_on)(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return loss.detach()

    return take_step
