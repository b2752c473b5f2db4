"""Bilinear fusion of two representations of a row, head by head. Notation: B rows, K and L widths, H heads, T outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class BilinearFusion(nn.Module):
    """(first (B, K), second (B, L)) -> (B, T): w_1 o_1 + w_2 o_2 + b + sum over heads h of o_1h^T W_h o_2h.

    Heads are consecutive parts of the two vectors (Mao et al., AAAI 2023, stream-level interaction aggregation), of equal width
    but for the last ones where a vector does not divide by `n_heads`.
    """

    def __init__(self, first_dim: int, second_dim: int, n_outputs: int = 1, n_heads: int = 1) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(first_dim, n_outputs), nn.Linear(second_dim, n_outputs, bias=False)
        widths = -(-first_dim // n_heads), -(-second_dim // n_heads)  # of a head
        self.between = nn.Parameter(torch.randn(n_heads, n_outputs, *widths) * (first_dim * widths[1]) ** -0.5)
        self.out_dim = n_outputs

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        heads, _, *widths = self.between.shape
        one, two = (_parts(v, heads, width) for v, width in zip((first, second), widths, strict=True))
        between = torch.einsum("bhtl,bhl->bt", torch.einsum("bhk,htkl->bhtl", one, self.between), two)
        fused: Tensor = self.first(first) + self.second(second) + between  # (B, T)
        return fused


def _parts(vectors: Tensor, heads: int, width: int) -> Tensor:
    """(B, K) -> (B, H, width), zeros after the end."""
    return pad(vectors, (0, heads * width - vectors.shape[1])).view(-1, heads, width)
