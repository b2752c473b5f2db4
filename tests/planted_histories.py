"""Histories in memory with planted effects, and what a block learns of them that is read out by one linear layer.

Notation: n rows, L history length.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

KINDS = 4
Rows = tuple[tuple[Tensor, ...], Tensor]  # what the block is called on, and labels (n,) in {0, 1}
Draw = Callable[[int], Rows]  # of n rows


def learned(block: nn.Module, draw: Draw, steps: int = 300, asked: Draw | None = None) -> float:
    """Accuracy on fresh rows of `asked`, which are those of `draw` if not given, after training on a batch a step."""
    torch.manual_seed(0)
    output = nn.Linear(block.out_dim, 1)
    optimizer = torch.optim.Adam([p for p in (*block.parameters(), *output.parameters()) if p.requires_grad], lr=0.01)
    for _ in range(steps):
        x, label = draw(128)
        optimizer.zero_grad()
        functional.binary_cross_entropy_with_logits(output(block(*x)).squeeze(1), label).backward()
        optimizer.step()
    with torch.no_grad():
        x, label = (asked or draw)(2000)
        return ((output(block(*x)).squeeze(1) > 0) == (label > 0.5)).float().mean().item()


def built(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(1)
    return make()


def marked_history(n: int, length: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Behaviours (n, L, KINDS + 1), of a kind and with a mark of 1 or -1; the target's kind; kinds and marks (n, L)."""
    kinds, marks = torch.randint(KINDS, (n, length)), torch.randint(2, (n, length)) * 2.0 - 1
    wanted = torch.randint(KINDS, (n,))
    history = torch.cat([functional.one_hot(kinds, KINDS).float(), marks.unsqueeze(2)], 2)
    target = functional.pad(functional.one_hot(wanted, KINDS).float(), (0, 1))
    return target, history, kinds == wanted.unsqueeze(1), marks
