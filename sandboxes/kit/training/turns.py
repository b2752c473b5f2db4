"""The steps of one stage: its own on every batch, before them those of the stages that take turns with it.

Modules of the model that hear progress are told it before each batch.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor, nn

from sandboxes.kit.contract import HearsProgress, Stage
from sandboxes.kit.team import Team
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.model import free
from sandboxes.kit.training.optimiser import Optimiser
from sandboxes.kit.training.parallel import shared_step_function
from sandboxes.kit.training.step import step_function


@dataclass(frozen=True)
class _Turn:
    stage: Stage
    optimiser: Optimiser
    take_step: Callable[[Any], Tensor]


class StageSteps:
    """Takes the steps of `stage`, of which `planned` are expected. A context, as its optimisers are."""

    def __init__(self, model: nn.Module, stage: Stage, config: TrainConfig, team: Team, planned: int) -> None:
        self._model, self._planned, self._taken = model, planned, 0
        self._hearers = [m for m in model.modules() if isinstance(m, HearsProgress)]
        if stage.beside:  # rows that wait for their updates could not wait for two optimisers
            config = replace(config, updates="whole")
        self._turns = [_turn(model, one, config, team) for one in (*stage.beside, stage)]
        for turn in self._turns if stage.beside else ():
            turn.optimiser.look_away()  # until it is its turn

    def take_step(self, rows: Any) -> Tensor:
        """The loss of the stage itself on `rows` (a batch, or a member's part of one) before its step, a detached scalar."""
        for hearer in self._hearers:
            hearer.set_progress(min(self._taken / self._planned, 1.0))
        self._taken += 1
        if len(self._turns) == 1:
            return self._turns[0].take_step(rows)
        for turn in self._turns:
            if self._taken % turn.stage.every == 0:
                loss = self._in_turn(turn, rows)
        return loss

    def settle(self) -> None:
        """Makes up for steps that rows of tables have not seen yet."""
        for turn in self._turns:
            turn.optimiser.settle()

    def _in_turn(self, turn: _Turn, rows: Any) -> Tensor:
        free(self._model, turn.stage)
        if turn.stage.update is not None:
            turn.optimiser.note_lookups()
        loss = turn.take_step(rows)
        turn.optimiser.look_away()
        return loss

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *how: object) -> None:
        with ExitStack() as stack:
            for turn in self._turns:
                stack.push(turn.optimiser)


def _turn(model: nn.Module, stage: Stage, config: TrainConfig, team: Team) -> _Turn:
    optimiser = Optimiser(model, stage, config)
    if team.size > 1:
        return _Turn(stage, optimiser, shared_step_function(model, stage, optimiser, config, team))
    return _Turn(stage, optimiser, step_function(model, stage, optimiser, config))
