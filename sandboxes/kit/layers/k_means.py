"""Lloyd's k-means, from a start that depends on its points alone. Notation: N points, K centres, D width."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 20
SAMPLE = 1 << 16  # points that centres are found from, evenly spaced
SEED = 0


@torch.no_grad()
def k_means(points: Tensor, n_centres: int) -> Tensor:
    """Centres (K, D) of the points (N, D), N > 0. The first are drawn with chances that grow with the squared distance to those
    drawn before (Arthur and Vassilvitskii, SODA 2007); then points and means take turns (Lloyd, 1982). A centre that no point is
    nearest to stays where it is; where there are fewer different points than centres, some centres coincide."""
    points = points[:: -(-len(points) // SAMPLE)]
    centres = _spread_out(points, n_centres)
    for _ in range(ROUNDS):
        nearest = torch.cdist(points, centres).argmin(1)  # (N,)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=n_centres).unsqueeze(1)  # (K, 1)
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
    return centres


def _spread_out(points: Tensor, n_centres: int) -> Tensor:
    draw = torch.Generator().manual_seed(SEED)
    chosen = [points[int(torch.randint(len(points), (), generator=draw))]]
    gap = (points - chosen[0]).square().sum(1)  # (N,) to the nearest centre
    for _ in range(1, n_centres):
        chances = gap.double().cpu() if gap.sum() > 0 else torch.ones(len(points), dtype=torch.float64)
        # Not torch.multinomial, which takes no more than 2^24 chances.
        reached = chances.cumsum(0)
        at = int(torch.searchsorted(reached, reached[-1] * torch.rand((), generator=draw, dtype=torch.float64), right=True))
        chosen.append(points[min(at, len(points) - 1)])
        gap = torch.minimum(gap, (points - chosen[-1]).square().sum(1))
    return torch.stack(chosen)
