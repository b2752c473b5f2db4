"""Each of several vectors of a history meets each field of the row: a small layer for every field, shared by the vectors.

Notation: B rows, k vectors of a history, F fields, D embedding width, H units of a pair.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BehaviourFieldPairs(nn.Module):
    """(vectors (B, k, D), fields (B, F, D)) -> (B, k, F, H): relu(A_j e_i + B_j f_j + C_j (e_i * f_j) + b_j) for vector i and
    field j.

    The rectifier stands between a pair and whatever sums pairs up afterwards. Without it the sum could be taken before the
    vectors meet the fields, and nothing would be fine-grained about it.
    """

    def __init__(self, n_fields: int, embedding_dim: int, pair_units: int) -> None:
        super().__init__()
        self.of_vector, self.of_field, self.of_both = (
            nn.Parameter(torch.randn(n_fields, pair_units, embedding_dim) * embedding_dim**-0.5) for _ in range(3)
        )  # each (F, H, D)
        self.bias = nn.Parameter(torch.zeros(n_fields, pair_units))

    def forward(self, vectors: Tensor, fields: Tensor) -> Tensor:
        seen_through = self.of_vector + self.of_both * fields.unsqueeze(2)  # (B, F, H, D): C_j (e * f) = (C_j diag f) e
        shift = torch.einsum("bfd,fhd->bfh", fields, self.of_field) + self.bias  # (B, F, H)
        return torch.relu(torch.einsum("bkd,bfhd->bkfh", vectors, seen_through) + shift.unsqueeze(1))
