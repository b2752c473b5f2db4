"""What the processor can do with the matrix products of these models: the bound that no way of training gets past.

Notation: B batch, I inputs and O outputs of a layer.
"""

from __future__ import annotations

import platform
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from bench.contenders.protocol import BATCH_SIZE, CROSS_LAYERS, EMBEDDING_DIM, HIDDEN_UNITS

ROUNDS = 15
LIMIT_S = 1.0  # no further rounds after so long, where bf16 is emulated
PASSES = 3  # forward, gradient of the weights, gradient of the inputs: a product of the same size each


@dataclass(frozen=True)
class Machine:
    """`gflops_*` were measured on one product of a batch of 4096 with 624 x 400 weights, on `threads` threads."""

    processor: str
    cores: int
    threads: int
    torch: str
    gflops_fp32: float
    gflops_bf16: float

    @property
    def bf16_pays(self) -> bool:
        return self.gflops_bf16 > self.gflops_fp32

    def described(self) -> str:
        return (
            f"{self.processor}, {self.threads} of {self.cores} cores, torch {self.torch}; matrix products fp32 "
            f"{self.gflops_fp32:.0f} GFLOP/s, bf16 {self.gflops_bf16:.0f} GFLOP/s"
        )


def measure(threads: int) -> Machine:
    """Takes a second or two."""
    torch.set_num_threads(threads)
    speeds = [_gflops(dtype) for dtype in (torch.float32, torch.bfloat16)]
    return Machine(_processor(), torch.multiprocessing.cpu_count(), threads, torch.__version__, *speeds)


def products_per_sample(model: str, n_fields: int) -> int:
    """Floating-point operations of the matrix products for one sample of training, two for a multiply-add."""
    width = n_fields * EMBEDDING_DIM
    sizes = (width, *HIDDEN_UNITS)
    multiply_adds = sum(i * o for i, o in pairwise(sizes)) + HIDDEN_UNITS[-1]
    if model == "dcnv2":
        multiply_adds += CROSS_LAYERS * width * width + width
    return 2 * PASSES * multiply_adds


def fp32_bound(machine: Machine, model: str, n_fields: int) -> float:
    """Samples/s at which matrix products in fp32 alone would fill the processor."""
    return machine.gflops_fp32 * 1e9 / products_per_sample(model, n_fields)


def _gflops(dtype: torch.dtype) -> float:
    inputs, weights = 624, 400
    a, b = torch.randn(BATCH_SIZE, inputs, dtype=dtype), torch.randn(inputs, weights, dtype=dtype)
    seconds: list[float] = []
    while len(seconds) < ROUNDS and sum(seconds) < LIMIT_S:
        began = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - began)
    return 2 * BATCH_SIZE * inputs * weights / statistics.median(seconds) / 1e9


def _processor() -> str:
    """The name in /proc/cpuinfo, else what Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
