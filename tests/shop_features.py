"""The small shop with a derived feature of every kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from small_shop import SPEC, log

from sandboxes.kit.data.spec import Categorical, Numeric, Split, TableSpec
from sandboxes.kit.features import AnyTransform
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.histories import HistoryMeasure
from sandboxes.kit.features.statistics import Rate, Share
from sandboxes.kit.features.times import Elapsed, TimePart

DERIVED: tuple[AnyTransform, ...] = (
    Bins("price_bin", "price", "equal_frequency", 8),
    Bins("price_log", "price", "log", 8),
    Bins("price_tree", "price", "tree", 8, task="click"),
    Bins("age_auto", "age", "auto", 8, task="click"),
    Cross("item_shop", ("item", "shop id")),
    Cross("item_price", ("item", "price_bin")),
    Share("item_share", ("item",)),
    Rate("shop_rate", ("shop id",), task="click", smoothing=5.0),
    Rate("pair_rate", ("item", "member"), task="buy"),
    TimePart("hour", "seen", "hour"),
    TimePart("hour_of_week", "seen", "hour_of_week"),
    TimePart("day_text", "day", "weekday", unit="us"),
    Elapsed("age_of_item", "seen", "made"),
    HistoryMeasure("n_clicked", "clicked", "length"),
    HistoryMeasure("n_different", "clicked", "distinct"),
    HistoryMeasure("again", "clicked", "matches"),
    HistoryMeasure("share_again", "clicked", "match_share"),
    HistoryMeasure("since", "clicked", "since_match"),
    HistoryMeasure("shop_again", "visited", "matches"),
)


def with_times(table: pl.DataFrame) -> pl.DataFrame:
    """With seconds since 1970, dates as text, and when the item was made, all missing here and there."""
    n, rng = table.height, np.random.default_rng(8)
    seen = 1_700_000_000 + np.arange(n) * 3700
    days = (pl.Series(seen) * 1_000_000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")
    return table.with_columns(
        pl.Series("seen", [None if i % 17 == 0 else int(s) for i, s in enumerate(seen)]),
        pl.Series("made", seen - rng.integers(-1000, 10**7, n)),
        pl.Series("day", [None if i % 19 == 0 else d for i, d in enumerate(days)]),
    )


def spec_with(*derived: AnyTransform, split: Split = SPEC.split) -> TableSpec:
    """The shop's description with those derived columns, all of them features."""
    return replace(
        SPEC,
        categorical=(*SPEC.categorical, *(Categorical(d.name) for d in derived if d.gives == "text")),
        numeric=(*SPEC.numeric, *(Numeric(d.name) for d in derived if d.gives == "number")),
        derived=derived,
        split=split,
    )


def table(rows: int = 600) -> pl.DataFrame:
    return with_times(log(rows))
