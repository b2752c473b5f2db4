"""Measures, on a model's own first steps, which way of training is fastest here: updates, precision, compilation.

Where rows are updated and whether torch compiles do not change what training comes to beyond rounding; bf16 does a little, so
all models of a comparison should train in one way. What is fixed beforehand is not measured. A measurement takes a few seconds,
but compilation, which is only tried for trainings that are long enough to win back what it costs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn

from sandboxes.kit.batch import Batch
from sandboxes.kit.layers.table import Table
from sandboxes.kit.training.config import TrainConfig
from sandboxes.kit.training.model import stages_of
from sandboxes.kit.training.optimiser import Optimiser
from sandboxes.kit.training.order import shuffled
from sandboxes.kit.training.rows import Rows
from sandboxes.kit.training.step import step_function

Fixed = dict[str, Any]  # those of updates, precision and compiled that are settled, by name

STEPS = 8  # measured of each way, after WARM_UP
WARM_UP = 2
WAY_LIMIT_S = 3.0  # no further steps of a way after so long
WORTH_COMPILING_S = 120.0  # shorter trainings would hardly win back what compilation costs
SHARE_WON = 0.03  # a way must be so much faster to be taken over the plainer one
PLAIN: dict[str, Any] = {"updates": "whole", "precision": "fp32", "compiled": False}
PRODUCT_ROWS = 512  # of the square matrices that tell whether bf16 is worth a try


@dataclass(frozen=True)
class Measured:
    """One way of training: its median seconds a step, and what its first step cost beyond that. `fault`: why it cannot be."""

    updates: str
    precision: str
    compiled: bool
    step_s: float = float("inf")
    set_up_s: float = 0.0
    fault: str = ""

    def total_s(self, steps: int) -> float:
        return self.set_up_s + steps * self.step_s


@dataclass(frozen=True)
class Calibration:
    """The ways measured, plainest first, and the settings with the way that `steps` steps will take least time in."""

    config: TrainConfig
    measured: tuple[Measured, ...]
    steps: int

    @property
    def chosen(self) -> dict[str, str | bool]:
        return _way(self.config)

    def as_data(self) -> dict[str, object]:
        """For JSON, where times that are infinite become None."""
        rows = [asdict(m) | ({"step_s": None} if m.fault else {}) for m in self.measured]
        return {"chosen": self.chosen, "measured": rows, "steps": self.steps}


def calibrate(fresh: Callable[[], nn.Module], train: Rows, config: TrainConfig, fixed: Fixed, device: str = "cpu") -> Calibration:
    """`fresh` builds the model anew for each way; what is `fixed` is not tried otherwise."""
    plain: TrainConfig = replace(config, **PLAIN | fixed)
    steps = config.max_epochs * -(-len(train) // config.batch_size)
    trial = _Trial(fresh, train, device)
    best = trial.measure(plain)
    chosen = plain
    for change in _changes(plain, fixed, trial.has_tables, device):
        if change == {"compiled": True} and best.total_s(steps) < WORTH_COMPILING_S:
            continue
        way = replace(chosen, **change)
        seen = trial.measure(way)
        if seen.total_s(steps) < (1 - SHARE_WON) * best.total_s(steps):
            best, chosen = seen, way
    return Calibration(chosen, tuple(trial.measured), steps)


def _changes(plain: TrainConfig, fixed: Fixed, has_tables: bool, device: str) -> Iterator[dict[str, Any]]:
    """What may be tried, each on top of what has won before."""
    if "updates" not in fixed and plain.embedding_l2 == 0 and has_tables:
        yield {"updates": "touched"}
    if "precision" not in fixed and _bf16_products_are_faster(plain.threads, device):
        yield {"precision": "bf16"}
    if "compiled" not in fixed:
        yield {"compiled": True}


class _Trial:
    """Measures ways on the same batches, and keeps what was measured."""

    def __init__(self, fresh: Callable[[], nn.Module], train: Rows, device: str) -> None:
        self._fresh, self._train, self._device = fresh, train, device
        self.measured: list[Measured] = []
        self.has_tables = False  # as the model measured last had them

    def measure(self, way: TrainConfig) -> Measured:
        try:
            seconds = self._seconds(way)
        except Exception as error:  # noqa: BLE001 - compilers fail in many ways, and this way is then not taken
            seen = Measured(
                way.updates,
                way.precision,
                way.compiled,
                fault=f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}",
            )
        else:
            step_s = statistics.median(seconds[1:] or seconds)
            set_up_s = max(0.0, seconds[0] - step_s)
            seen = Measured(way.updates, way.precision, way.compiled, step_s, set_up_s)
        self.measured.append(seen)
        return seen

    def _seconds(self, way: TrainConfig) -> list[float]:
        """The time of the first step, then of some after warming up."""
        torch.set_num_threads(way.threads)
        model = self._fresh().to(self._device).train()
        self.has_tables = any(isinstance(m, Table) for m in model.modules())
        stage = stages_of(model)[-1]
        began, seconds = time.monotonic(), []
        with Optimiser(model, stage, way) as optimiser:
            take_step = step_function(model, stage, optimiser, way)
            for number, batch in enumerate(self._batches(way)):
                started = time.monotonic()
                take_step(batch.to(self._device)).item()  # waits for the device
                if number == 0 or number >= WARM_UP:
                    seconds.append(time.monotonic() - started)
                if number >= WARM_UP + STEPS or (len(seconds) > 2 and time.monotonic() - began > WAY_LIMIT_S):
                    break
        return seconds

    def _batches(self, way: TrainConfig) -> Iterator[Batch]:
        """As training draws them, over and over."""
        order = torch.Generator().manual_seed(way.seed)
        while True:
            yield from shuffled(self._train, way.batch_size, order)


def _way(config: TrainConfig) -> dict[str, str | bool]:
    return {"updates": config.updates, "precision": config.precision, "compiled": config.compiled}


def _bf16_products_are_faster(threads: int, device: str) -> bool:
    """On processors without bf16 units such products are a hundred times slower, and even one training step would take long."""
    torch.set_num_threads(threads)
    times = {}
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.ones(PRODUCT_ROWS, PRODUCT_ROWS, dtype=dtype, device=device)
        times[dtype] = min(_time_of_product(a) for _ in range(3))
    return times[torch.bfloat16] < times[torch.float32]


def _time_of_product(a: torch.Tensor) -> float:
    started = time.monotonic()
    (a @ a)[0, 0].item()
    return time.monotonic() - started
