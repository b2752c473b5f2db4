"""How many rows a step takes where nobody says: what every agent begins with."""

from __future__ import annotations

STEPS_AN_EPOCH = 100  # fewer steps leave every model, a linear one above all, far from trained
BATCH_SIZES = (128, 256, 512, 1024, 2048, 4096)


def usual_batch_size(rows: int) -> int:
    """The largest that leaves an epoch over so many rows `STEPS_AN_EPOCH` steps; the smallest of all where none does."""
    return max((b for b in BATCH_SIZES if b * STEPS_AN_EPOCH <= rows), default=BATCH_SIZES[0])
