"""Which proposals are worth a training: those that explain residuals of the incumbent, each beyond what those before it explain.

Notation: n rows of the residuals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from agents.autofeature.residuals import Residuals, effects
from agents.strict import Strict
from sandboxes.jobs import Finished
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.training.spans import chosen as drawn_rows

LEAST_Z = 2.0  # a proposal that explains less is noise as likely as not, given how many there are
CLIP = 1e-6
MOST_ROWS = 200_000


class Screened(Strict):
    """A proposal by name, in the order of choice. `z` is that of the residuals left by those before it, `alone` by none."""

    name: str
    z: float
    alone: float
    chosen: bool


def residuals_of(half: Finished, prepared: Prepared) -> Residuals:
    """Of the train rows that a model trained on half of them did not see, evenly, `MOST_ROWS` at most, with a known label."""
    config, train = half.job.config, load_split(prepared.visible, "train")
    assert train.labels is not None
    seen = np.zeros(len(train), dtype=np.bool_)
    seen[drawn_rows(len(train), config.share, config.seed)] = True
    labels = np.asarray(train.labels)[:, 0]
    rows = np.flatnonzero(~seen & ~np.isnan(labels))
    rows = rows[:: max(1, -(-len(rows) // MOST_ROWS))]
    p = np.clip(half.predictions("train")[rows, 0].astype(np.float64), CLIP, 1 - CLIP)
    return Residuals(rows, labels[rows].astype(np.float64), np.asarray(logit(p)))


def screened(residuals: Residuals, codes: Mapping[str, NDArray[np.int64]], most: int) -> list[Screened]:
    """All proposals, by the codes (n,) of their fields: first those chosen, at most so many, then the others by what they
    explain alone. One after the other the best of those left is chosen, and what it explains is taken out of the residuals."""
    alone = {name: residuals.explained_by(c).z for name, c in codes.items()}
    left, chosen = dict(codes), list[Screened]()
    while left and len(chosen) < most:
        z = {name: residuals.explained_by(c).z for name, c in left.items()}
        best = max(z, key=lambda name: z[name])
        if z[best] < LEAST_Z:
            break
        chosen.append(Screened(name=best, z=z[best], alone=alone[best], chosen=True))
        own = left.pop(best)
        residuals = replace(residuals, logits=residuals.logits + effects(residuals.labels, residuals.logits, own)[own])
    rest = [Screened(name=name, z=residuals.explained_by(c).z, alone=alone[name], chosen=False) for name, c in left.items()]
    return chosen + sorted(rest, key=lambda s: -s.alone)
