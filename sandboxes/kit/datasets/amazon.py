"""Amazon reviews as next-item prediction: from review files (JSON lines, such as the 5-core ones) or "user item" text.

Every review is a positive, with one sampled negative (see `next_item`). Split by the user's last and second last review.
Text files hold no times: a user's lines are taken to be in order.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.errors import DataError
from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet
from sandboxes.kit.datasets.next_item import with_negatives
from sandboxes.kit.datasets.reading import delimited

LICENCE = "research use"
REVIEW = {"reviewerID": pl.String, "asin": pl.String, "unixReviewTime": pl.Int64}


def spec() -> TableSpec:
    return TableSpec(
        name="amazon",
        tasks=(Label("label"),),
        categorical=(Categorical("user_id", "user", side="user"), Categorical("item_id", "item", side="item")),
        sequences=(Sequence("past_items", of="item_id", length=50, where="label"),),
        user="user",
        time="time",
        target_item="item_id",
        split=Split(by="given", column="split"),
    )


def _source(folder: Path | None) -> Source:
    found = (
        []
        if folder is None
        else sorted(p for pattern in ("*.json", "*.json.gz", "*.txt", "*.txt.gz") for p in folder.glob(pattern))
    )
    files = [f for f in found if "provenance" not in f.name.lower() and "readme" not in f.name.lower()]
    if len(files) != 1:
        raise DataError(f"amazon: {folder} holds {len(files)} review files; put one .json (reviews) or .txt (user item) there")
    said = f"Amazon reviews, {files[0].name}; negatives are sampled"
    return Source(spec(), partial(_read, files[0]), content_of(files), said, LICENCE)


def _read(file: Path) -> pl.DataFrame:
    events = _reviews(file) if ".json" in file.suffixes else _pairs(file)
    return with_negatives(events)


def _reviews(file: Path) -> pl.DataFrame:
    try:
        table = pl.read_ndjson(file, schema=REVIEW)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"amazon: {file.name} is not one JSON object a line ({str(error).partition(chr(10))[0]})") from None
    named = table.select(pl.col("reviewerID").alias("user"), pl.col("asin").alias("item"), pl.col("unixReviewTime").alias("time"))
    if sum(named.null_count().row(0)):
        raise DataError(f"amazon: lines of {file.name} lack {', '.join(REVIEW)}; give a file of reviews, not of items")
    return named


def _pairs(file: Path) -> pl.DataFrame:
    table = delimited(file, " ", ("user", "item")).collect()
    return table.with_columns(pl.int_range(pl.len()).over("user").alias("time"))


AMAZON = DataSet(
    name="amazon",
    description="reviews as next-item prediction with sampled negatives, any category, 1 task; history of items",
    licence=LICENCE,
    kind="files",
    source=_source,
    files="one review file: .json (one object a line) or .txt (user item), also .gz",
)
