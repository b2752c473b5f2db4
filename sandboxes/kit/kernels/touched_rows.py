"""Adam on the rows of an embedding table that a batch touches: compiled where possible, else in torch.

Dense Adam moves a row at every step, also by steps that had no gradient for it, because its running means fade slowly. Here such
steps are made up for when the row is next looked at, so that the result is dense Adam's while the work is that of the touched
rows. With k steps of zero gradient after step s, and m, v the running means of step s, dense Adam adds

    - lr  sum_{i=1..k}  [b1^i m / (1 - b1^(s+i))]  /  ( sqrt(b2^i v / (1 - b2^(s+i))) + eps )

(Kingma and Ba, ICLR 2015, algorithm 1, with g = 0). The root changes little over the few steps in which b1^i counts, so it is
taken out of the sum at the mean lag i weighted by b1^i; the sum that is left has tables (`fading_sums`). The displacement is off
by under one per cent for rows last touched after step 30, and by at most a tenth for rows of the very first steps.

Notation: V rows, D width, n lookups.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from sandboxes.kit.kernels.native import library

STEPS_OF_TABLE = 512  # from here on b1^s is nothing, and the sums no longer depend on s
ROWS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class AdamSettings:
    """Adam's constants, fixed while the tables are trained."""

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


class TableRows:
    """One table's rows and their state: running means, the step that each row has reached, and who updates them.

    `weight` (V, D) float32 is changed in place. `threads` bounds the threads of the compiled version. `compiled=False` asks for
    the one in torch.
    """

    def __init__(self, weight: Tensor, settings: AdamSettings, *, threads: int = 1, compiled: bool = True) -> None:
        self.weight, self.settings = weight.detach(), settings
        rows, device = weight.shape[0], weight.device
        self.moments = torch.zeros(rows, 2, weight.shape[1], device=device)  # (V, 2, D): mean, mean of squares
        self.last = torch.zeros(rows, dtype=torch.int32, device=device)  # (V,)
        sums = fading_sums(settings.beta1)
        self._sum, self._lag_sum = (s.to(device) for s in sums)
        fits = device.type == "cpu" and weight.dtype == torch.float32 and weight.is_contiguous()
        self._library = library() if compiled and fits else None
        self._parts = 1 << (threads.bit_length() - 1)  # a power of two
        self._pool = ThreadPoolExecutor(self._parts) if self._library and self._parts > 1 else None
        self._slot = torch.full((rows,), -1, dtype=torch.int32) if self._library else None

    @property
    def compiled(self) -> bool:
        return self._library is not None

    def bring_up(self, rows: Tensor, now: int) -> None:
        """Makes up for the steps up to `now` for `rows`, any shape int64, each as often as it likes."""
        if self._library is None:
            self._bring_up_in_torch(rows, now)
            return
        rows = rows.contiguous()
        state = (self.weight.data_ptr(), self.moments.data_ptr(), self.last.data_ptr(), self.weight.shape[1])
        sums = (self._sum.data_ptr(), self._lag_sum.data_ptr(), STEPS_OF_TABLE)
        self._in_parts(self._library.bring_up, *state, rows.data_ptr(), rows.numel(), now, *self._adam, *sums)

    def update(self, rows: Tensor, gradients: Tensor, now: int) -> None:
        """Adam's step number `now` for `rows` (n,) with `gradients` (n, D), added up where a row occurs more than once.

        The rows have been brought up to now - 1.
        """
        if self._library is None or self._slot is None:
            self._update_in_torch(rows, gradients, now)
            return
        rows, gradients = rows.contiguous(), gradients.contiguous()
        state = (self.weight.data_ptr(), self.moments.data_ptr(), self.last.data_ptr(), self._slot.data_ptr())
        lookups = (rows.data_ptr(), gradients.data_ptr(), rows.numel())
        self._in_parts(self._library.update, *state, self.weight.shape[1], *lookups, now, *self._adam)

    def bring_all_up(self, now: int) -> None:
        """The same for every row, a slice at a time."""
        for start in range(0, len(self.last), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(self.last))
            self.bring_up(torch.arange(start, stop, device=self.last.device), now)

    @property
    def _adam(self) -> tuple[float, float, float, float]:
        return self.settings.learning_rate, self.settings.beta1, self.settings.beta2, self.settings.epsilon

    def _in_parts(self, function: Callable[..., None], *arguments: float) -> None:
        """Calls the compiled function once for each part of the rows, side by side: it lets go of the interpreter's lock."""
        if self._pool is None:
            function(*arguments, 0, 1)
            return
        calls = [self._pool.submit(function, *arguments, part, self._parts) for part in range(self._parts)]
        for call in calls:
            call.result()

    def _bring_up_in_torch(self, rows: Tensor, now: int) -> None:
        rows = torch.unique(rows)
        since = self.last[rows]
        self.last[rows] = self.last[rows].clamp_min(now)
        late = (since > 0) & (since < now)
        rows, since = rows[late], since[late].float()
        b1, b2 = self.settings.beta1, self.settings.beta2
        k = now - since  # (U,) steps without a gradient
        left = b1**k
        start, end = since.long().clamp_max(STEPS_OF_TABLE), torch.full_like(since, min(now, STEPS_OF_TABLE)).long()
        weight = self._sum[start] - left * self._sum[end]
        lag = (self._lag_sum[start] - left * (k * self._sum[end] + self._lag_sum[end])) / weight
        scale = torch.sqrt(b2**lag / -torch.expm1((since + lag) * math.log(b2)))
        mean, square = self.moments[rows].unbind(1)  # each (U, D)
        step = (self.settings.learning_rate * weight).unsqueeze(1)
        self.weight[rows] -= step * mean / (scale.unsqueeze(1) * square.sqrt() + self.settings.epsilon)
        self.moments[rows] = torch.stack([mean * left.unsqueeze(1), square * (b2**k).unsqueeze(1)], 1)

    def _update_in_torch(self, rows: Tensor, gradients: Tensor, now: int) -> None:
        b1, b2 = self.settings.beta1, self.settings.beta2
        rows, place = torch.unique(rows, return_inverse=True)
        gradient = torch.zeros(len(rows), gradients.shape[1], device=rows.device).index_add_(0, place, gradients)  # (U, D)
        mean, square = self.moments[rows].unbind(1)
        mean = b1 * mean + (1 - b1) * gradient
        square = b2 * square + (1 - b2) * gradient.square()
        step, scale = self.settings.learning_rate / (1 - b1**now), 1 / math.sqrt(1 - b2**now)
        self.weight[rows] -= step * mean / (scale * square.sqrt() + self.settings.epsilon)
        self.moments[rows] = torch.stack([mean, square], 1)
        self.last[rows] = now


def fading_sums(beta1: float) -> tuple[Tensor, Tensor]:
    """For s = 0 ... 512, sum_{i>=1} b1^i / (1 - b1^(s+i)), and the same with a factor i; each (513,) float32.

    Sums that end after k steps are differences of these: sum[s] - b1^k sum[s + k].
    """
    sums, lag_sums = [beta1 / (1 - beta1)], [beta1 / (1 - beta1) ** 2]
    for s in range(STEPS_OF_TABLE - 1, -1, -1):
        sums.append(beta1 * (1 / (1 - beta1 ** (s + 1)) + sums[-1]))
        lag_sums.append(sums[-1] + beta1 * lag_sums[-1])
    return torch.tensor(sums[::-1]), torch.tensor(lag_sums[::-1])
