"""Avazu mobile advertising: the challenge's train file, or a sample of it; ids of rows are left out, the hour is taken apart.

Split 8:1:1 by hash of the row's id, as is usual for this set. `hour` (YYMMDDHH) becomes hour of the day and day of the week.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, find
from sandboxes.kit.datasets.reading import delimited
from sandboxes.kit.schema import Side

# fmt: off
COLUMNS = (
    "C1", "banner_pos", "site_id", "site_domain", "site_category", "app_id", "app_domain", "app_category", "device_id",
    "device_ip", "device_model", "device_type", "device_conn_type",
    "C14", "C15", "C16", "C17", "C18", "C19", "C20", "C21",
)
# fmt: on
LICENCE = "rules of the Kaggle competition: no redistribution"
NAMES = ("train", "train.csv", "train_1w.csv")


def spec() -> TableSpec:
    return TableSpec(
        name="avazu",
        tasks=(Label("click"),),
        categorical=(
            Categorical("hour_of_day"),
            Categorical("weekday"),
            *(Categorical(c, min_frequency=2, side=_side(c)) for c in COLUMNS),
        ),
        split=Split(by="random", key=("id",)),
    )


def _side(column: str) -> Side:
    return "user" if column.startswith("device") else "context"


def _source(folder: Path | None) -> Source:
    file = find(folder, *NAMES) if folder is not None else None
    if file is None and folder is not None and len(tables := sorted(folder.glob("*.csv*"))) == 1:
        file = tables[0]  # a sample under a name of its own
    if file is None:
        raise DataError(f"avazu: {' or '.join(NAMES[:2])} is not in {folder}; put the challenge's train file there")
    return Source(spec(), partial(_read, file), content_of([file]), f"Avazu CTR challenge (Kaggle 2014), {file.name}", LICENCE)


def _read(file: Path) -> pl.LazyFrame:
    table = delimited(file, ",")
    if "hour" not in table.collect_schema().names():
        raise DataError(f"avazu: {file.name} has no column hour; give the challenge's train file")
    when = (pl.col("hour") + "00").str.to_datetime("%y%m%d%H%M", strict=False)
    return table.with_columns(when.dt.hour().alias("hour_of_day"), when.dt.weekday().alias("weekday"))


AVAZU = DataSet(
    name="avazu",
    description="mobile advertising, 40,428,967 rows (or a sample), 23 categories, 1 task: click",
    licence=LICENCE,
    kind="files",
    source=_source,
    files="train (also train.gz, train.csv, or one .csv sample with its header)",
)
