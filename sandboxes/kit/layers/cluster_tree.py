"""Items in clusters of clusters, laid out so that a part of the tree is a span of one list.

Notation: N items, C clusters, M leaves of each.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sandboxes.kit.layers.k_means import k_means


@torch.no_grad()
def leaves_of(points: Tensor, n_clusters: int, n_leaves: int) -> Tensor:
    """The leaf (N,) int64 of each of the points (N, W), N > 0, in [0, C * M): k-means of all, then of each cluster by itself, by
    Euclidean distance. Leaf l belongs to cluster l // M; a cluster of few different points leaves some of its leaves empty."""
    cluster = _nearest(points, n_clusters)
    leaf = torch.zeros_like(cluster)
    for c in torch.unique(cluster).tolist():
        members = (cluster == c).nonzero().squeeze(1)
        leaf[members] = c * n_leaves + _nearest(points[members], n_leaves)
    return leaf


def _nearest(points: Tensor, n_centres: int) -> Tensor:
    return torch.cdist(points, k_means(points, n_centres)).argmin(1)
