"""How far a method agrees with itself over seeds: a choice that another seed would not make is no choice.

Notation: m runs, d fields; z (m, d) says which run chose which field, p (d,) how often each was, k (m,) how many a run chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import norm

from agents.autofeature.selection.method import Scores
from agents.autofeature.selection.ranks import kendall, scored_by_all, top_of, values_of
from agents.strict import Strict


class Stability(Strict):
    """Of one method over several seeds: the mean Kendall tau-b of each two rankings, and the stability of the `top` fields with
    its interval at `level`. 1 means always the same fields, 0 what chance would choose; None is not defined, as when every run
    chooses all fields or none. `often` has the share of the runs in which a field was at the top.
    """

    method: str
    seeds: tuple[int, ...]
    top: int = Field(ge=1)
    kendall: float | None
    stability: float | None
    low: float | None
    high: float | None
    level: float
    often: dict[str, float]


def stability(scores: Sequence[Scores], top: int, level: float = 0.95) -> Stability:
    """Of at least two runs of one method. Raises `ValueError` otherwise."""
    if len(scores) < 2 or len({(s.method, s.task) for s in scores}) != 1:
        raise ValueError("stability is that of at least two runs of one method for one task")
    fields = scored_by_all(scores)
    values = [values_of(s, fields) for s in scores]
    taus = [tau for a, b in combinations(values, 2) if (tau := kendall(a, b)) is not None]
    chosen = np.stack([top_of(v, top) for v in values])  # (m, d)
    phi, low, high = chosen_stability(chosen, level)
    return Stability(
        method=scores[0].method,
        seeds=tuple(s.seed for s in scores),
        top=top,
        kendall=float(np.mean(taus)) if taus else None,
        stability=phi,
        low=low,
        high=high,
        level=level,
        often=dict(zip(fields, chosen.mean(0).tolist(), strict=True)),
    )


def chosen_stability(z: NDArray[np.bool_], level: float = 0.95) -> tuple[float | None, float | None, float | None]:
    """The stability of choices z (m, d) and its asymptotic interval (Nogueira et al., JMLR 2018, definition 4 and theorem 7)."""
    m, d = z.shape
    p, k = z.mean(0), z.sum(1)
    mean = k.mean() if d else 0.0
    by_chance = mean / d * (1 - mean / d) if d else 0.0
    if by_chance <= 0:
        return None, None, None
    phi = 1 - m / (m - 1) * (p * (1 - p)).mean() / by_chance
    own = (z * p).mean(1) - k * mean / d**2 + phi / 2 * (2 * mean * k / d**2 - k / d - mean / d + 1)
    own = own / by_chance  # what each run adds, (m,)
    reach = norm.ppf((1 + level) / 2) * np.sqrt(4 / m**2 * ((own - own.mean()) ** 2).sum())
    return float(phi), float(phi - reach), float(min(phi + reach, 1.0))
