"""A small click log as CSV, in which a click depends on the item, which any model learns, and on a pair of fields."""

from __future__ import annotations

import csv
import random
from pathlib import Path


def clicks(path: Path, rows: int = 3000) -> Path:
    rng = random.Random(5)
    with path.open("w", newline="") as handle:
        out = csv.writer(handle)
        out.writerow(["user", "item", "hour", "label"])
        for _ in range(rows):
            user, item, hour = rng.randrange(40), rng.randrange(30), rng.randrange(24)
            chance = 0.1 + 0.45 * ((user + item) % 3 == 0) + 0.35 * (item % 4 == 0)
            out.writerow([f"u{user}", f"i{item}", f"h{hour}", int(rng.random() < chance)])
    return path
