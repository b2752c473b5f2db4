"""One training step: loss, gradients, update; in the precision, and compiled or not, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.model import loss_of
from sandboxes.kit.training.optimiser import Optimiser


class OnDevice(Protocol):
    """Some rows to train on."""

    @property
    def device(self) -> torch.device: ...

    def __len__(self) -> int: ...


Rows = TypeVar("Rows", bound=OnDevice)


def step_function(model: nn.Module, stage: Stage, optimiser: Optimiser, config: TrainConfig) -> Callable[[Batch], Tensor]:
    """(batch) -> its loss before the step, a detached scalar."""
    return stepping(partial(loss_of, model, stage), optimiser.step, config, config.batch_size)


def stepping(
    loss_of_rows: Callable[[Rows], Tensor], update: Callable[[], None], config: TrainConfig, usual_rows: int
) -> Callable[[Rows], Tensor]:
    """The same for any loss of any kind of rows; `update` follows the backward pass. Most often there are `usual_rows`."""

    def loss_on(rows: Rows) -> Tensor:
        with torch.autocast(rows.device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            return loss_of_rows(rows)

    compiled = torch.compile(loss_on, dynamic=False) if config.compiled else loss_on

    def take_step(rows: Rows) -> Tensor:
        # A batch of another size, as the last one of an epoch, would be compiled anew.
        loss: Tensor = (compiled if len(rows) == usual_rows else loss_on)(rows)
        loss.backward()  # type: ignore[no-untyped-call]
        update()
        return loss.detach()

    return take_step
