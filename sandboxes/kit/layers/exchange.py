"""Lookups in a table whose rows are shared out over a team: each row is asked of the member that holds it, once.

Row v of a table lies with member v mod R, as that member's row v div R: frequent values stand first in a vocabulary, and so
they are spread evenly. Gradients go back the way the vectors came. Notation: V rows of the table, D width, R members,
U distinct rows looked up, H rows that the team asks of this member.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

from sandboxes.kit.team import Team


def vectors_of(rows: Tensor, n_rows: int, team: Team, read: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """For `rows` of any shape, out of V = `n_rows`: distinct vectors (U, D), where in them each of `rows` is found (of the same
    shape), and the distinct rows (U,) themselves.

    `read` gives this member's vectors (H, D) for its own rows (H,), each of which may be asked for by several members.
    """
    held = -(-n_rows // team.size)  # at most, by a member
    keys, place = torch.unique(rows % team.size * held + rows // team.size, return_inverse=True)  # sorted by holder
    holder, local = keys // held, keys % held
    asked = torch.bincount(holder, minlength=team.size)  # (R,)
    answered = torch.empty_like(asked)
    dist.all_to_all_single(answered, asked)
    to, of = asked.tolist(), answered.tolist()
    wanted = _exchanged(local, to, of)  # (H,)
    vectors: Tensor = _Exchange.apply(read(wanted), of, to)  # type: ignore[no-untyped-call]
    return vectors, place, local * team.size + holder


class _Exchange(torch.autograd.Function):
    """(H, D) -> (U, D): `given[r]` of the rows go to member r, which sends `got[r]`; for gradients the other way round."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, given: list[int], got: list[int]) -> Tensor:
        ctx.given, ctx.got = given, got
        return _exchanged(vectors, given, got)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, None, None]:
        return _exchanged(gradients, ctx.got, ctx.given), None, None


def _exchanged(values: Tensor, given: list[int], got: list[int]) -> Tensor:
    received = values.new_empty(sum(got), *values.shape[1:])
    dist.all_to_all_single(received, values.contiguous(), got, given)
    return received
