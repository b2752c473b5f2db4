"""What a numeric check of a layer asks: which layer, how it is built, what it is called with, and what its reference is told.

Notation: L the last dimension of a mask.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

LARGEST = 1 << 20  # numbers in one input: a slip in a shape shall not take the memory that other probes need
_TRIES = 20  # at a draw that differs from the one before

Kind = Literal["normal", "uniform", "mask", "ids"]
Value = int | float | bool | str | list[int]


@dataclass(frozen=True)
class Input:
    """A tensor that the layer and the reference are given.

    `normal`: standard normal numbers. `uniform`: numbers in [0, 1). `mask`: bool (..., L), padded on the left as the kit's
    histories are: the True entries of a row are its last ones, at least one; what lies under a False is as random as the rest.
    `ids`: int64 in [0, high).

    Raises `ValueError` for what cannot be drawn.
    """

    name: str
    shape: tuple[int, ...]
    kind: Kind = "normal"
    high: int = 0

    def __post_init__(self) -> None:
        if not _plain(self.name):
            raise ValueError(f"the input's name {self.name!r} is no Python identifier")
        if min(self.shape, default=1) < 1 or math.prod(self.shape) > LARGEST:
            raise ValueError(f"the shape {self.shape} of `{self.name}` has a side below 1 or more than {LARGEST} numbers")
        if self.kind not in ("normal", "uniform", "mask", "ids"):
            raise ValueError(f"`{self.name}` is of the unknown kind {self.kind!r}; use normal, uniform, mask or ids")
        if self.kind == "ids" and self.high < 1:
            raise ValueError(f"the ids `{self.name}` need `high`, above which none lies")
        if self.kind == "mask" and not self.shape:
            raise ValueError(f"the mask `{self.name}` has no last dimension")

    def draw(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """A tensor of `shape`; numbers are of `dtype`. A mask with room for it has a False."""
        drawn = self._drawn(generator, dtype)
        if self.kind == "mask" and self.shape[-1] > 1 and bool(drawn.all()):
            drawn[..., 0] = False
        return drawn

    def redraw(self, before: Tensor, generator: torch.Generator) -> Tensor:
        """Another draw than `before`, where there is another."""
        for _ in range(_TRIES):
            drawn = self._drawn(generator, before.dtype)
            if not torch.equal(drawn, before):
                break
        return drawn

    def _drawn(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        if self.kind == "normal":
            return torch.randn(self.shape, generator=generator, dtype=dtype)
        if self.kind == "uniform":
            return torch.rand(self.shape, generator=generator, dtype=dtype)
        if self.kind == "ids":
            return torch.randint(self.high, self.shape, generator=generator)
        *rows, length = self.shape
        real = torch.randint(1, length + 1, (*rows, 1), generator=generator)  # (..., 1)
        return torch.arange(length) >= length - real  # (..., L)


@dataclass(frozen=True)
class Probe:
    """One question: does `layer`, built from `arguments`, compute of `inputs` what the reference computes?

    `layer` is the name of an nn.Module class in model.py, its own or imported. A list among `arguments` reaches the constructor
    as a tuple. `inputs` stand in the order in which the layer's `method` takes them; the reference gets them by their names.
    `parameters` leads from a symbol, a further keyword argument of the reference, to one of the layer's parameters or buffers:
    "project.weight", or "project.weight.T" for the transposed matrix. `output` says which element is meant of a layer that
    returns several.

    Raises `ValueError` where names are no identifiers or occur twice, or nothing is given that an output could depend on.
    """

    layer: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    method: str = "forward"
    output: int | None = None

    def __post_init__(self) -> None:
        for name in (self.layer, self.method, *self.arguments, *self.parameters):
            if not _plain(name):
                raise ValueError(f"{name!r} is no Python identifier")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError(f"a name stands twice among {', '.join(self.symbols)}")
        if not self.symbols:
            raise ValueError("the probe names no input and no parameter")

    @property
    def symbols(self) -> tuple[str, ...]:
        """The reference's keyword arguments."""
        return (*(i.name for i in self.inputs), *self.parameters)

    def as_data(self) -> dict[str, Any]:
        """What JSON can hold, and `from_data` reads."""
        return {
            "layer": self.layer,
            "arguments": dict(self.arguments),
            "inputs": [asdict(i) for i in self.inputs],
            "parameters": dict(self.parameters),
            "method": self.method,
            "output": self.output,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Probe:
        inputs = tuple(Input(i["name"], tuple(i["shape"]), i["kind"], i["high"]) for i in data["inputs"])
        return cls(data["layer"], data["arguments"], inputs, data["parameters"], data["method"], data["output"])


def _plain(name: str) -> bool:
    """Whether it is a Python name that is not the interpreter's own."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")
