"""Rows that stand more than once, whole or by their features, and labels that contradict each other there.

Rows are told apart by 64-bit hashes: 8 bytes a row in memory, and among a hundred million rows about one pair in 3,700 tables
would be taken for equal by chance. Notation: n rows, T tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from agents.autofeature.profile.held import Held
from agents.autofeature.profile.missing import present
from agents.autofeature.profile.model import Contradiction, Duplicates
from agents.autofeature.profile.tasks import Labels

Hashes = NDArray[np.uint64]


def duplicates_of(held: Held, labels: Labels) -> Duplicates:
    """`labels` are (n, T). Values that are missing are alike."""
    spec = held.spec
    described = list(dict.fromkeys([f.column or f.name for f in spec.features] + [s.column for s in spec.sequences if s.column]))
    whole, alike = _hashes(held, [list(held.schema), described])
    rows, same = _copies(whole), _copies(alike)
    total = max(held.rows, 1)
    return Duplicates(
        rows=rows,
        share=rows / total,
        alike=same,
        alike_share=same / total,
        contradictions=tuple(_contradiction(t.name, alike, labels[:, i]) for i, t in enumerate(spec.tasks)),
    )


def _hashes(held: Held, of: Sequence[list[str]]) -> list[Hashes]:
    asked = [pl.struct([present(c, held.schema[c]) for c in names]).hash().alias(str(i)) for i, names in enumerate(of)]
    found = held.frame.select(asked).collect(engine="streaming")
    return [found[str(i)].to_numpy() for i in range(len(of))]


def _copies(hashes: Hashes) -> int:
    ordered = np.sort(hashes)
    return int((ordered[1:] == ordered[:-1]).sum())


def _contradiction(task: str, hashes: Hashes, labels: NDArray[np.float32]) -> Contradiction:
    """Rows in groups of alike ones that hold both labels."""
    observed = ~np.isnan(labels)
    order = np.argsort(hashes[observed], kind="stable")
    h, y = hashes[observed][order], labels[observed][order].astype(np.int64)
    if not len(h):
        return Contradiction(task=task, rows=0, share=0.0)
    starts = np.flatnonzero(np.append(True, h[1:] != h[:-1]))
    sizes, positives = np.diff(np.append(starts, len(h))), np.add.reduceat(y, starts)
    rows = int(sizes[(positives > 0) & (positives < sizes)].sum())
    return Contradiction(task=task, rows=rows, share=rows / len(h))
