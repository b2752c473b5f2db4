"""Frappe: use of mobile apps in context, from the libfm files in which papers use it (two sampled negatives a positive).

The files hold one-hot indices, in the order user, item, daytime, weekday, isweekend, homework, cost, weather, country, city.
With all three files their split is kept, as published. With only the validation and test files, whose rows are real all
the same, they are split anew by hash: a set of its own, whose numbers are not the published ones.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, find, need
from sandboxes.kit.datasets.reading import delimited
from sandboxes.kit.schema import Side

FIELDS = ("user", "item", "daytime", "weekday", "isweekend", "homework", "cost", "weather", "country", "city")
SIDES: dict[str, Side] = {"user": "user", "item": "item", "cost": "item"}
FILES = {"train": "frappe.train.libfm", "valid": "frappe.validation.libfm", "test": "frappe.test.libfm"}
LICENCE = "research use with acknowledgement, no redistribution, no commercial use without permission"


def spec(complete: bool) -> TableSpec:
    """The description, with the published split or, where the train file is missing, one of its own."""
    return TableSpec(
        name="frappe" if complete else "frappe-without-train",
        tasks=(Label("used"),),
        categorical=tuple(Categorical(f, side=SIDES.get(f, "context")) for f in FIELDS),
        user="user",
        target_item="item",
        split=Split(by="given", column="split") if complete else Split(by="random", train=0.7, valid=0.1, test=0.2),
    )


def _source(folder: Path | None) -> Source:
    complete = folder is not None and (find(folder, FILES["train"]) is not None or find(folder, FILES["valid"]) is None)
    files = {split: need(folder, "frappe", name) for split, name in FILES.items() if complete or split != "train"}
    said = "as published" if complete else "WITHOUT the published train file: validation and test rows split anew, 7:1:2"
    provenance = f"Frappe (Baltrunas et al., 2015, arXiv:1505.03014), libfm files, {said}"
    return Source(spec(complete), partial(_read, files), content_of(files.values()), provenance, LICENCE)


def _read(files: dict[str, Path]) -> pl.LazyFrame:
    return pl.concat([_libfm(file).with_columns(pl.lit(split).alias("split")) for split, file in files.items()])


def _libfm(file: Path) -> pl.LazyFrame:
    """Lines such as `-1 451:1 4149:1 ...` as columns of text; the label is 0 or 1."""
    table = delimited(file, " ", ("label", *FIELDS))
    indices = [pl.col(f).str.strip_suffix(":1") for f in FIELDS]
    return table.select(pl.col("label").replace("-1", "0").alias("used"), *indices)


FRAPPE = DataSet(
    name="frappe",
    description="app use in context, 288,609 rows, 1 task: used",
    licence=LICENCE,
    kind="files",
    source=_source,
    files=f"{', '.join(FILES.values())} (also .gz)",
)
