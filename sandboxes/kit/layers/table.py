"""An embedding table: what all lookups of the kit go through, so that training can update just the rows that a batch looks up.

A table may be shared out by rows over a team of processes (`layers.exchange`); a lookup is the same then. Notation: V rows,
D width, B batch, L entries pooled.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sandboxes.kit.layers.exchange import vectors_of
from sandboxes.kit.team import Team, builders_team

INITIAL_STD = 0.01  # of the vectors before training; small, so that products of vectors start near zero
DRAWN_AT_ONCE = 1 << 16  # rows


class Table(nn.Embedding):
    """`weight` (V, D), initialised from a normal distribution. Rows are int64.

    While `watcher` is set, it hears of the rows of every lookup before they are read, and gradients are sparse: they name the
    rows that were looked up, each as often as it was. Using `weight` in another way is allowed, and then its gradient is dense.

    Built for a team of R > 1, `weight` holds this member's rows of the V = `n_rows`: r, r + R, r + 2R, ... for member r; of
    those the watcher hears and gradients speak. All members look up at the same time, and the gradients of a row come together
    from all of them. Gradients are always sparse then, and training refuses those of another use of `weight`.
    """

    watcher: Callable[[Tensor], None] | None

    def __init__(self, rows: int, width: int, std: float = INITIAL_STD) -> None:
        team = builders_team()
        weight = _initial(rows, width, std, team)
        super().__init__(len(weight), width, _weight=weight)
        self.n_rows, self.team = rows, team
        self.watcher = None

    # Sparse gradients and a watcher cannot be compiled, and a lookup gains nothing by it.
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, rows: Tensor) -> Tensor:
        """Any shape (...) -> (..., D)."""
        if self.team.size == 1:
            return self._own(rows)
        vectors, place, _ = vectors_of(rows, self.n_rows, self.team, self._own)
        return functional.embedding(place, vectors)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def pooled(self, rows: Tensor, padding_row: int) -> Tensor:
        """(B, L) -> (B, D): the mean over entries that are not `padding_row`; zeros where there are none."""
        if self.team.size == 1:
            self._tell(rows)
            sparse = self.watcher is not None
            return functional.embedding_bag(rows, self.weight, mode="mean", padding_idx=padding_row, sparse=sparse)
        vectors, place, distinct = vectors_of(rows, self.n_rows, self.team, self._own)
        padding = (distinct == padding_row).nonzero().flatten().tolist()  # nowhere, or in one place
        return functional.embedding_bag(place, vectors, mode="mean", padding_idx=padding[0] if padding else None)

    def _own(self, rows: Tensor) -> Tensor:
        """The vectors (..., D) of rows that this process holds, by their place in `weight`."""
        self._tell(rows)
        return functional.embedding(rows, self.weight, sparse=self.watcher is not None or self.team.size > 1)

    def _tell(self, rows: Tensor) -> None:
        if self.watcher is not None:
            self.watcher(rows)


class DerivedTable(Table):
    """A table whose lookups are made of more than the rows of `weight`: what is pooled is what it looks up."""

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def pooled(self, rows: Tensor, padding_row: int) -> Tensor:
        """(B, L) -> (B, D): the mean over entries that are not `padding_row`; zeros where there are none."""
        real = (rows != padding_row).unsqueeze(2)  # (B, L, 1)
        mean: Tensor = (self(rows) * real).sum(1) / real.sum(1).clamp(min=1)
        return mean


def _initial(rows: int, width: int, std: float, team: Team) -> Tensor:
    """This member's rows of normal draws (V, D) that depend on torch's generator alone, and not on the team.

    They are drawn in blocks, each from a generator of its own, so that nobody ever holds all of them.
    """
    seed = int(torch.randint(1 << 32, ()))
    own = torch.empty(len(range(team.rank, rows, team.size)), width)
    for block, start in enumerate(range(0, rows, DRAWN_AT_ONCE)):
        generator = torch.Generator().manual_seed((seed + block) % (1 << 32))  # of a seed, torch uses 32 bits
        drawn = torch.empty(min(DRAWN_AT_ONCE, rows - start), width).normal_(std=std, generator=generator)
        mine = drawn[(team.rank - start) % team.size :: team.size]
        first = len(range(team.rank, start, team.size))  # how many of its rows come before the block
        own[first : first + len(mine)] = mine
    return own
