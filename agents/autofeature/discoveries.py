"""How many of several findings may be called so: the false discovery rate is kept. Notation: m p-values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def discovered(p_values: Sequence[float], rate: float) -> list[bool]:
    """Which of m p-values are discoveries, of which at most the share `rate` is false in expectation.

    Benjamini and Hochberg, "Controlling the false discovery rate" (1995); it holds for tests that lean the same way (Benjamini
    and Yekutieli, 2001, theorem 1.2), as those do that share a baseline.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not len(p):
        return []
    order = np.argsort(p, kind="stable")
    passes = p[order] <= rate * np.arange(1, len(p) + 1) / len(p)
    last = int(np.flatnonzero(passes).max(initial=-1))
    found = np.zeros(len(p), dtype=np.bool_)
    found[order[: last + 1]] = True
    return [bool(x) for x in found]
