"""A table whose rows lean on a few vectors that all rows of a field share, the more the rarer they are.

Notation: V rows, D width, G groups of rows, K shared vectors of a group, n times that a row was counted.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sandboxes.kit.layers.table import INITIAL_STD, DerivedTable, Table


class SharedRowsTable(DerivedTable):
    """Looks up g w + (1 - g) sum_k softmax(a)_k u_k, g = n / (n + `half_at`): what was counted that often is half its own.

    `starts` are the first rows of the groups, ascending from 0, each with `n_shared` vectors u; the logits a of a row are learned
    too. Counting is left to the user of the table. Rows from `always_own` on are never rare. In a team, a member counts its own
    rows, and members' counts are averaged.
    """

    seen: Tensor
    starts: Tensor

    def __init__(self, rows: int, width: int, *, starts: list[int], n_shared: int, half_at: float, always_own: int) -> None:
        super().__init__(rows, width)
        self.half_at = half_at
        self.register_buffer("seen", torch.zeros(rows))  # (V,)
        self.seen[always_own:] = torch.inf
        self.register_buffer("starts", torch.tensor(starts), persistent=False)  # (G,)
        self.shared = nn.Parameter(torch.randn(len(starts), n_shared, width) * INITIAL_STD)  # (G, K, D)
        self.choice_table = Table(rows, n_shared) if n_shared > 1 else None  # (V, K)

    @torch.no_grad()
    def count(self, rows: Tensor) -> None:
        """Each of `rows` (...) has occurred once more."""
        flat = rows.flatten()
        self.seen.index_add_(0, flat, torch.ones_like(flat, dtype=self.seen.dtype))

    def own_share(self, rows: Tensor) -> Tensor:
        """(...) -> (...), from 0 for what was never counted to 1."""
        return 1 - self.half_at / (self.seen[rows] + self.half_at)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, rows: Tensor) -> Tensor:
        """Any shape (...) -> (..., D)."""
        group = torch.bucketize(rows, self.starts, right=True) - 1  # (...)
        shared = self.shared[group]  # (..., K, D)
        if self.choice_table is None:
            common = shared.squeeze(-2)
        else:
            common = (torch.softmax(self.choice_table(rows), -1).unsqueeze(-2) @ shared).squeeze(-2)  # (..., D)
        own = self.own_share(rows).unsqueeze(-1).to(common.dtype)  # (..., 1)
        mixed: Tensor = own * super().forward(rows) + (1 - own) * common
        return mixed
