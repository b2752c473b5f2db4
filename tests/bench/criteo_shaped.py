"""A click log of Criteo's shape with a planted truth: 39 categorical fields, a million ids, 500,000 rows, in seconds.

The shape follows the Criteo Kaggle set: 13 counters in buckets and 26 categories, whose cardinalities are those published with
DLRM (github.com/facebookresearch/dlrm), the eight largest shrunk so that all fields together have a million ids. Within a field
ids follow a power law. The truth is a logit of first-order effects and of products of vectors (a factorization machine, Rendle,
ICDM 2010, eq. 1, over some of the pairs), so that the best AUC that any model can reach is known.

Notation: n rows, F fields, K width of the planted vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bench.arrays import Ids, Labels, Meta, write
from numpy.typing import NDArray

from sandboxes.kit.metrics import auc, log_loss

ROWS = 500_000
IDS_IN_ALL = 1_000_000
COUNTERS = (49, 101, 126, 45, 223, 118, 84, 76, 103, 9, 30, 40, 75)
CATEGORIES = (1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194)
CATEGORIES += (27, 14992, 5461306, 10, 5652, 2173, 4, 7046547, 18, 15, 286181, 105, 142572)
LARGE = 50_000  # categories above this are shrunk
EXPONENT = 1.1  # of the power law of ids within a field
BASE_LOGIT = -1.7  # with the effects below about a quarter of the rows is positive, as in Criteo
FIRST_ORDER, SECOND_ORDER, WIDTH, PAIRS = 0.14, 0.16, 4, 24

Reals = NDArray[np.float32]


def cardinalities() -> tuple[int, ...]:
    """Ids per field, the unused id 0 included; they sum to a million."""
    sizes = np.array(COUNTERS + CATEGORIES, dtype=np.float64)
    large = sizes > LARGE
    sizes[large] *= (IDS_IN_ALL - sizes[~large].sum()) / sizes[large].sum()
    whole = np.floor(sizes).astype(np.int64)
    whole[whole.argmax()] += IDS_IN_ALL - whole.sum()
    return tuple(int(size) for size in whole)


def generate(rows: int = ROWS, seed: int = 0) -> tuple[Ids, Labels, Reals]:
    """Ids (n, F), labels (n,) and the true probabilities (n,). The same seed gives the same rows, and the same
    truth whatever their number."""
    truth_rng, rng = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    sizes = cardinalities()
    ids = np.empty((rows, len(sizes)), dtype=np.int32)
    logit = np.full(rows, BASE_LOGIT, dtype=np.float32)
    vectors: list[Reals] = []
    for f, size in enumerate(sizes):
        column = _names(size, truth_rng)[_ranks(rows, size, rng)]
        ids[:, f] = column
        logit += FIRST_ORDER * truth_rng.standard_normal(size, dtype=np.float32)[column]
        vectors.append(truth_rng.standard_normal((size, WIDTH), dtype=np.float32) / np.float32(WIDTH**0.5))
    for f, g in _pairs(len(sizes), truth_rng):
        logit += SECOND_ORDER * (vectors[f][ids[:, f]] * vectors[g][ids[:, g]]).sum(1) * WIDTH**0.5
    truth = 1 / (1 + np.exp(-logit))
    return ids, (rng.random(rows, dtype=np.float32) < truth).astype(np.float32), truth


def prepared(home: Path, rows: int = ROWS, seed: int = 0) -> Path:
    """The folder of the data set, made when it is not there yet."""
    folder = home / f"criteo-shaped-{rows}-{seed}"
    if not (folder / "meta.json").exists():
        ids, labels, truth = generate(rows, seed)
        facts = {"best_auc": auc(labels, truth), "best_log_loss": log_loss(labels, truth), "positives": float(labels.mean())}
        names = tuple(f"f{i:02d}" for i in range(ids.shape[1]))
        write(folder, Meta(folder.name, names, cardinalities(), facts), ids, labels, seed)
    return folder


def _ranks(rows: int, size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Ranks (n,) in [0, size - 1), the share of rank r falling as (r + 1) ** -EXPONENT: by inverting the integral."""
    power = 1 - EXPONENT
    u = rng.random(rows)
    real = (1 - u * (1 - float(size) ** power)) ** (1 / power)  # in [1, size)
    return np.minimum(real.astype(np.int64) - 1, size - 2)


def _names(size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The id of each rank: frequent ids do not lie next to one another, as with ids that were hashed."""
    return rng.permutation(size - 1) + 1


def _pairs(fields: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Distinct pairs of fields that have a product in the truth."""
    f, g = np.triu_indices(fields, 1)
    chosen = rng.choice(len(f), PAIRS, replace=False)
    return [(int(f[i]), int(g[i])) for i in chosen]
