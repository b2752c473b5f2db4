"""Makes tuples of code words tell items apart: one more word numbers the items that share a tuple.

Notation: I items, Q words before the last, K codes of a level.
"""

from __future__ import annotations

import torch
from torch import Tensor


def room_in_tuple(n_items: int, n_codes: int) -> int:
    """How many items one tuple may hold, so that however alike items are, those of one prefix fit into its tuples."""
    return max(1, -(-n_items // n_codes))


@torch.no_grad()
def told_apart(codes: Tensor, distances: Tensor, room: int) -> Tensor:
    """(codes (I, Q), distances (I, K) to the last level's codes) -> words (I, Q + 1) int64, no two rows alike: the codes, then
    the item's number, below `room`, among those of its tuple (Rajput et al., NeurIPS 2023, section 3.1).

    Items come in the order of their rows. One whose tuple is full takes the nearest of the last level's other codes where
    there is room. Raises `ValueError` when K times `room` is less than I.
    """
    n_items, n_codes = distances.shape
    if n_codes * room < n_items:
        raise ValueError(f"{n_items} items that share a prefix do not fit into {n_codes} tuples of {room}")
    prefix = torch.unique(codes[:, :-1], dim=0, return_inverse=True)[1] if codes.shape[1] > 1 else torch.zeros_like(codes[:, 0])
    ranked = _own_first(distances, codes[:, -1]).argsort(dim=1, stable=True)  # (I, K) codes, nearest first
    held = torch.zeros(int(prefix.max()) * n_codes + n_codes if n_items else 0, dtype=torch.int64, device=codes.device)
    words = torch.cat([codes, torch.zeros_like(codes[:, :1])], 1)
    waiting = torch.arange(n_items, device=codes.device)
    for choice in ranked.T:
        if not len(waiting):
            break
        place = prefix[waiting] * n_codes + choice[waiting]  # of its tuple
        number = held[place] + _number_within(place)
        fits = number < room
        settled = waiting[fits]
        words[settled, -2], words[settled, -1] = choice[settled], number[fits]
        held += torch.bincount(place[fits], minlength=len(held))
        waiting = waiting[~fits]
    return words


def _own_first(distances: Tensor, own: Tensor) -> Tensor:
    """Ties and rounding shall not move an item from the code that it has."""
    return distances.scatter(1, own.unsqueeze(1), -1.0)


def _number_within(groups: Tensor) -> Tensor:
    """How many rows before it each row (n,) has that are of its group."""
    order = groups.argsort(stable=True)
    sorted_groups = groups[order]
    at = torch.arange(len(groups), device=groups.device)
    first = torch.searchsorted(sorted_groups, sorted_groups)
    number = torch.empty_like(groups)
    number[order] = at - first
    return number
