"""One training step: loss, gradients, update; in the precision, and compiled or not, as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.contract import Stage
from sandboxes.kit.team import ALONE, Team
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
    loss = partial(loss_of, model, stage, task_weights=config.task_weights)
    return stepping(loss, _nothing, stage, optimiser, config, config.batch_size)


def stepping(
    loss_of_rows: Callable[[Rows], Tensor],
    gather: Callable[[], None],
    stage: Stage,
    optimiser: Optimiser,
    config: TrainConfig,
    usual_rows: int,
    team: Team = ALONE,
) -> Callable[[Rows], Tensor]:
    """The same for any loss of any kind of rows; `gather` follows each backward pass. Most often there are `usual_rows`."""

    def loss_on(rows: Rows) -> Tensor:
        with torch.autocast(rows.device.type, dtype=torch.bfloat16, enabled=config.precision == "bf16"):
            return loss_of_rows(rows)

    compiled = torch.compile(loss_on, dynamic=False) if config.compiled else loss_on

    def backward(rows: Rows) -> Tensor:
        # A batch of another size, as the last one of an epoch, would be compiled anew.
        loss: Tensor = (compiled if len(rows) == usual_rows else loss_on)(rows)
        loss.backward()  # type: ignore[no-untyped-call]
        gather()
        return loss.detach()

    def take_step(rows: Rows) -> Tensor:
        rule = stage.update
        loss = backward(rows) if rule is None else rule.gradients(_Step(optimiser, partial(backward, rows), team))
        optimiser.step()
        return loss

    return take_step


@dataclass(frozen=True)
class _Step:
    """One step, as a rule of update sees it."""

    optimiser: Optimiser
    loss_and_gradients: Callable[[], Tensor]
    team: Team

    @property
    def parameters(self) -> Sequence[nn.Parameter]:
        return self.optimiser.free

    def backward(self) -> Tensor:
        self.optimiser.forget()
        return self.loss_and_gradients()

    def looked_up(self, parameter: nn.Parameter) -> Tensor:
        return torch.cat(self.optimiser.lookups.get(parameter, [torch.zeros(0, dtype=torch.int64, device=parameter.device)]))


def _nothing() -> None:
    """Alone there is nothing to gather."""
