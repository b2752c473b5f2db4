"""Criteo conversion logs: clicks of display advertising and when each led to a conversion, from the official tab-separated file.

The file has no header: time of the click, time of the conversion (empty without one), both in seconds, 8 integer features and 9
hashed categories. Only conversions within 30 days of their click are there. Split by time, so that training sees what was known
at the end of its clicks; counts are log-transformed; categories seen fewer than 10 times in train share an id.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, need
from sandboxes.kit.datasets.reading import delimited

NAME, FILES = "criteo-conversions", ("data.txt", "data.tsv", "criteo_conversion_logs.txt")
COUNTS = tuple(f"I{i}" for i in range(1, 9))
CATEGORIES = tuple(f"C{i}" for i in range(1, 10))
LICENCE = "CC BY-NC-SA"


def spec() -> TableSpec:
    return TableSpec(
        name=NAME,
        tasks=(Label("conversion", arrives="conversion_time"),),
        categorical=tuple(Categorical(c, min_frequency=10) for c in CATEGORIES),
        numeric=tuple(Numeric(c, transform="log1p") for c in COUNTS),
        time="click_time",
        split=Split(by="time"),
    )


def _source(folder: Path | None) -> Source:
    file = need(folder, NAME, *FILES)
    said = f"Criteo conversion logs (Chapelle, KDD 2014), {file.name}"
    return Source(spec(), partial(_read, file), content_of([file]), said, LICENCE)


def _read(file: Path) -> pl.LazyFrame:
    """The file with its label: converted where there is a time of conversion."""
    table = delimited(file, "\t", ("click_time", "conversion_time", *COUNTS, *CATEGORIES))
    return table.with_columns(pl.col("conversion_time").is_not_null().cast(pl.Int8).alias("conversion"))


CRITEO_CONVERSIONS = DataSet(
    name=NAME,
    description="clicks with conversions up to 30 days later, about 16 million rows, 8 counts, 9 categories, 1 task: conversion",
    licence=LICENCE,
    kind="files",
    source=_source,
    files=f"{' or '.join(FILES)} (also .gz)",
)
