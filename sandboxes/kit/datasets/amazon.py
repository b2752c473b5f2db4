"""Amazon reviews as next-item prediction: from review files (JSON lines, such as the 5-core ones) or "user item" text.

Every review is a positive. As labels each has one sampled negative (see `datasets.next_item`); as a question for items there are
none. Split by the user's last and second last review.
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


def next_item() -> TableSpec:
    """The reviews as a question for items, without sampled negatives: which one comes next?"""
    return TableSpec(
        name="amazon-next",
        tasks=(Label("reviewed", "item", present=True),),
        categorical=spec().categorical,
        sequences=(Sequence("past_items", of="item_id", length=50),),
        user="user",
        time="time",
        target_item="item_id",
        split=Split(by="last"),
        predicts="items",
    )


def _source(described: TableSpec, folder: Path | None) -> Source:
    found = (
        []
        if folder is None
        else sorted(p for pattern in ("*.json", "*.json.gz", "*.txt", "*.txt.gz") for p in folder.glob(pattern))
    )
    files = [f for f in found if "provenance" not in f.name.lower() and "readme" not in f.name.lower()]
    if len(files) != 1:
        raise DataError(f"amazon: {folder} holds {len(files)} review files; put one .json (reviews) or .txt (user item) there")
    said, read = f"Amazon reviews, {files[0].name}", partial(_events, files[0])
    if described.predicts == "items":
        return Source(described, read, content_of(files), said, LICENCE)
    return Source(described, lambda: with_negatives(read()), content_of(files), f"{said}; negatives are sampled", LICENCE)


def _events(file: Path) -> pl.DataFrame:
    return _reviews(file) if ".json" in file.suffixes else _pairs(file)


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
    source=partial(_source, spec()),
    files="one review file: .json (one object a line) or .txt (user item), also .gz",
)

AMAZON_NEXT = DataSet(
    name="amazon-next",
    description="reviews, any category: which item is reviewed next; history of items",
    licence=LICENCE,
    kind="files",
    source=partial(_source, next_item()),
    files=AMAZON.files,
    folder=AMAZON.name,
)
