"""Turns logs that hold only what users did into rows with labels: each thing done, and one sampled item that was not.

The negatives are sampled, uniformly among items the user never met; figures on such rows say how well a model tells
done things from random ones, and are not comparable with click prediction on real impressions.
Notation: n events; a row's instant is its event's.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

ROUNDS = 20  # of drawing again those negatives that the user did meet


def with_negatives(events: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """`events` (columns user, item, time) by user and time, with columns label and split; 2 n rows, fewer where a draw fails.

    A user's last event and its negative test, those of the second last validate, earlier ones train; users with fewer than
    three events train only.
    """
    events = events.with_row_index("row").sort("user", "time", "row", maintain_order=True).drop("row")
    size = pl.len().over("user")
    left = size - 1 - pl.int_range(pl.len()).over("user")  # events of the user that are later
    split = pl.when((size < 3) | (left > 1)).then(pl.lit("train")).when(left == 1).then(pl.lit("valid")).otherwise(pl.lit("test"))
    positives = events.with_columns(split.alias("split"), pl.lit(1, pl.Int8).alias("label")).with_row_index("at")
    negatives = positives.with_columns(_unmet(events, seed), pl.lit(0, pl.Int8).alias("label")).drop_nulls("item")
    both = pl.concat([positives, negatives])
    return both.sort("at", "label", descending=[False, True], maintain_order=True).drop("at")


def _unmet(events: pl.DataFrame, seed: int) -> pl.Series:
    """For each event (n,) an item that its user never met, null where none was found."""
    users, user = np.unique(events["user"].to_numpy(), return_inverse=True)
    items, item = np.unique(events["item"].to_numpy(), return_inverse=True)
    del users
    met = np.unique(user.astype(np.int64) * len(items) + item)
    random, drawn = np.random.default_rng(seed), np.full(len(user), -1, dtype=np.int64)
    waiting = np.arange(len(user))
    for _ in range(ROUNDS):
        drawn[waiting] = random.integers(len(items), size=len(waiting))
        waiting = waiting[_among(user[waiting] * np.int64(len(items)) + drawn[waiting], met)]
        if not len(waiting):
            break
    drawn[waiting] = -1
    found = pl.Series("item", items).gather(pl.Series(np.maximum(drawn, 0)))
    return pl.select(pl.when(pl.Series(drawn >= 0)).then(found).otherwise(None).alias("item")).to_series()


def _among(values: NDArray[np.int64], ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    at = np.searchsorted(ordered, values).clip(max=len(ordered) - 1)
    return np.asarray(ordered[at] == values)
