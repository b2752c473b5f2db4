"""A table whose rows are used in whole multiples of a learned step, and served as 8-bit integers.

Notation: V rows, D width, B batch, L entries pooled, Q the largest code.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.table import INITIAL_STD, Table

MOST_BITS = 8  # what an int8 holds


class QuantisedTable(Table):
    """Looks up step * round(clip(w / step, -Q, Q)), Q = 2^(bits - 1) - 1; gradients pass the rounding as if it were not there.

    The step is one for the table, and `log_step` its logarithm relative to where it starts, 2 E|w| / sqrt(Q), so that a step of
    Adam changes it by a share. In training the weights stay in float32 and are rounded at every lookup; only `take_served_form`
    makes the table smaller, to one byte an element in `codes` (V, D) int8.
    """

    codes: Tensor

    def __init__(self, rows: int, width: int, std: float = INITIAL_STD, *, bits: int = MOST_BITS) -> None:
        if not 2 <= bits <= MOST_BITS:
            raise ValueError(f"codes have 2 to {MOST_BITS} bits, not {bits}")
        super().__init__(rows, width, std)
        self.largest = 2 ** (bits - 1) - 1
        self._start = 2 * std * math.sqrt(2 / math.pi) / math.sqrt(self.largest)
        self.log_step = nn.Parameter(torch.zeros(()))

    @property
    def step(self) -> Tensor:
        return self._start * self.log_step.exp()

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, rows: Tensor) -> Tensor:
        """Any shape (...) -> (..., D)."""
        if hasattr(self, "codes"):
            served: Tensor = self.codes[rows].to(self.log_step.dtype) * self.step
            return served
        scaled: Tensor = (super().forward(rows) / self.step).clamp(-self.largest, self.largest)
        return (scaled.detach().round() + (scaled - scaled.detach())) * self.step

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def pooled(self, rows: Tensor, padding_row: int) -> Tensor:
        """(B, L) -> (B, D): the mean over entries that are not `padding_row`; zeros where there are none."""
        real = (rows != padding_row).unsqueeze(2)  # (B, L, 1)
        mean: Tensor = (self(rows) * real).sum(1) / real.sum(1).clamp(min=1)
        return mean

    def take_served_form(self) -> None:
        codes = self._codes(self.weight.detach(), self.step.detach())
        del self.weight
        self.register_buffer("codes", codes)

    def served_state(self, state: dict[str, Tensor], prefix: str) -> None:
        step = self._start * state[f"{prefix}log_step"].exp()
        state[f"{prefix}codes"] = self._codes(state.pop(f"{prefix}weight"), step)

    def _codes(self, weight: Tensor, step: Tensor) -> Tensor:
        return (weight / step).clamp(-self.largest, self.largest).round().to(torch.int8)  # (V, D)
