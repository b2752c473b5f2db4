"""Which items were taken by the same users, with popularity discounted as one likes.

Notation: U ids of the user field, I ids of the target item, E events, K neighbours.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from sandboxes.kit.schema import FIRST_ID

AT_ONCE = 1 << 24  # similarities held at a time


@torch.no_grad()
def taken_along(
    events: Tensor, n_users: int, n_items: int, n_neighbours: int, spread: float = 0.5, damping: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Of every item j the K = min(`n_neighbours`, I) items i of greatest similarity, (I, K) int64, greatest first, and these
    similarities (I, K). There is no similarity, 0, where no user took both, nor of an item to itself.

    It is what of a unit that starts at j arrives at i over the graph of users and items: the sum over users of both of
    1 / degree(u)^damping, over degree(i)^(1 - spread) x degree(j)^spread. With a `damping` of 1 this is heat conduction at a
    `spread` of 0, which prefers rare items, and mass diffusion at 1, which prefers popular ones (Zhou et al., PNAS 2010, eq. 3);
    with a `damping` of 0 and a `spread` of 1/2 it is the cosine of who took them (Deshpande and Karypis, ACM TOIS 2004,
    section 4.1).

    `events` (E, 2) int64: the user and the item of each; repetitions count once, and those of no known user not at all.
    """
    users, items = torch.unique(events[events[:, 0] >= FIRST_ID], dim=0).T
    of_user = torch.bincount(users, minlength=n_users).to(torch.float32)
    of_item = torch.bincount(items, minlength=n_items).clamp(min=1).to(torch.float32)
    out = _sparse(items, users, of_item[items] ** -spread, (n_items, n_users))
    back = _sparse(users, items, of_user[users] ** -damping * of_item[items] ** (spread - 1), (n_users, n_items))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        found = [_nearest(out, back, some, min(n_neighbours, n_items)) for some in in_parts(n_items)]
    return torch.cat([ids for ids, _ in found]), torch.cat([similarity for _, similarity in found])


def _sparse(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    return torch.sparse_coo_tensor(torch.stack([rows, columns]), values, shape, check_invariants=True).coalesce()


def in_parts(n_items: int) -> tuple[Tensor, ...]:
    """All ids of items, in parts whose similarities to all items are not too many at a time."""
    return torch.split(torch.arange(n_items), max(1, AT_ONCE // n_items))


def _nearest(out: Tensor, back: Tensor, some: Tensor, n: int) -> tuple[Tensor, Tensor]:
    arrived = torch.sparse.mm(out.index_select(0, some), back).to_dense()  # (n, I)
    arrived[torch.arange(len(some)), some] = 0
    similarity, ids = arrived.topk(n, dim=1)
    return ids, similarity
