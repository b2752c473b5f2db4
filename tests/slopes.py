"""Holds gradients to slopes: what is propagated back against finite differences of what is computed, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.autograd import gradcheck


def gradients_are_slopes(block: nn.Module, call: Callable[[], Tensor], inputs: Sequence[Tensor] = ()) -> bool:
    """Whether the gradients of `call()`, a use of `block` on `inputs`, are its slopes in `inputs` and all of its parameters.

    Raises an error that tells both where they differ. Everything is float64. What `call` moves in the block's buffers is put
    back each time, and `call` sees to its own randomness.
    """
    moving = [b for b in block.buffers() if b.layout == torch.strided]  # a graph is fixed
    kept = [b.clone() for b in moving]
    leaves = [x.requires_grad_() for x in (*inputs, *block.parameters())]
    assert leaves
    assert all(leaf.dtype == torch.float64 for leaf in leaves)

    def again(*_: Tensor) -> Tensor:  # the leaves are moved in place, and `call` sees them
        for buffer, before in zip(moving, kept, strict=True):
            if not torch.equal(buffer, before):
                buffer.copy_(before)
        return call()

    return gradcheck(again, leaves, fast_mode=True)


def away_from_the_start(block: nn.Module) -> nn.Module:
    """The block in float64, with parameters moved to where no gate is closed and no bias is zero."""
    block, draw = block.double(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
    return block
