"""Douban across domains: films, books and music as scenarios of one table, from a CSV file with ready labels.

Columns: user_id, item_id, rating (1 positive, 0 negative), domain, living_place, join_time, time_bin. Split 8:1:1 by hash of
user, item and domain.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, need

LICENCE = "research use; the crawl's terms are not stated"
NAMES = ("douban.csv", "douban_sample.csv")


def spec() -> TableSpec:
    return TableSpec(
        name="douban",
        tasks=(Label("liked", "rating"),),
        categorical=(
            Categorical("user_id", side="user"),
            Categorical("living_place", min_frequency=2, side="user"),
            Categorical("time_bin", side="user"),
            Categorical("item_id", side="item"),
            Categorical("domain"),
        ),
        user="user_id",
        scenario="domain",
        target_item="item_id",
        split=Split(by="random", key=("user_id", "item_id", "domain")),
    )


def _source(folder: Path | None) -> Source:
    file = need(folder, "douban", *NAMES)
    return Source(spec(), partial(pl.scan_csv, file), content_of([file]), f"Douban films, books and music, {file.name}", LICENCE)


DOUBAN = DataSet(
    name="douban",
    description="films, books and music as 3 scenarios, 1 task: liked (multi-scenario)",
    licence=LICENCE,
    kind="files",
    source=_source,
    files=" or ".join(NAMES),
)
