"""Groups of unit vectors that point the same way, and a query turned towards them."""

from __future__ import annotations

import numpy as np

from memory.index import Vector, Vectors

PASSES = 20


def centroids(vectors: Vectors, k: int) -> Vectors:
    """Unit centroids (at most k, d) of unit vectors (n, d), by spherical k-means.

    The first seed is the first vector, each next one the vector that is furthest from all before: the same always gives the same.
    """
    seeds = [0]
    while len(seeds) < min(k, len(vectors)):
        nearest = (vectors @ vectors[seeds].T).max(axis=1)
        seeds.append(int(nearest.argmin()))
    centres = vectors[seeds]
    groups = np.full(len(vectors), -1)
    for _ in range(PASSES):
        before, groups = groups, (vectors @ centres.T).argmax(axis=1)
        if (groups == before).all():
            break
        centres = np.stack([unit(vectors[groups == g].sum(axis=0)) for g in np.unique(groups)])
        groups = np.unique(groups, return_inverse=True)[1]
    return centres


def mixed(query: Vector, centre: Vector, kept: float) -> Vector:
    """The unit vector of `kept` parts of the query and the rest of the centre."""
    return unit(kept * query + (1 - kept) * centre)


def unit(vector: Vector) -> Vector:
    """Its direction; opposite parts that cancel out leave no direction, and the vector as it is."""
    norm = float(np.linalg.norm(vector))
    scaled: Vector = (vector / norm if norm > 1e-12 else vector).astype(np.float32)
    return scaled
