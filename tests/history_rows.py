"""Targets and histories of several lengths, for holding blocks to their formulas, written out over the real entries of a row.

Notation: B rows, L history length, D embedding width, n real entries of a row.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[np.float64]
B, L, D = 9, 5, 4


def rows(padding: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Target (B, D), history (B, padding + L, D), mask; row b has b % (L + 1) real entries, all on the right."""
    draw = np.random.default_rng(0)
    target, history = draw.normal(size=(B, D)), draw.normal(size=(B, L, D))
    mask = np.arange(L) >= L - np.arange(B)[:, None] % (L + 1)
    history, mask = np.pad(history * mask[..., None], ((0, 0), (padding, 0), (0, 0))), np.pad(mask, ((0, 0), (padding, 0)))
    return torch.from_numpy(target), torch.from_numpy(history), torch.from_numpy(mask)


def real_rows() -> list[tuple[Array, Array]]:
    """Each row's target (D,) and real entries (n, D)."""
    target, history, mask = rows()
    return [(target[b].numpy(), history[b, mask[b]].numpy()) for b in range(B)]


def weights(block: nn.Module) -> dict[str, Array]:
    return {name: p.detach().numpy() for name, p in block.named_parameters()}


def computed(block: nn.Module) -> Array:
    return block.double().eval()(*rows()).detach().numpy()


def layer_norm(x: Array, scale: Array, shift: Array) -> Array:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * scale + shift
