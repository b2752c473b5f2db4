"""Criteo display advertising: 13 counts and 26 hashed categories, from the challenge's tab-separated files or samples of them.

One file (train.txt, dac_sample.txt, train.tsv) is split 8:1:1 by hash of the row; train, dev and test files with labels are
kept as they are. Counts are log-transformed and standardised; categories seen fewer than 10 times in train share an id (2 for
samples of fewer than a million lines).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, find, need
from sandboxes.kit.datasets.reading import delimited

COUNTS = tuple(f"I{i}" for i in range(1, 14))
CATEGORIES = tuple(f"C{i}" for i in range(1, 27))
WHOLE = ("train.txt", "dac_sample.txt", "train.tsv")
PARTS = {"train": "train.tsv", "valid": "dev.tsv", "test": "test.tsv"}
LICENCE = "CC BY-NC-SA 4.0 by Criteo's present terms"
SAMPLE_BYTES = 200_000_000  # a smaller file is a sample of fewer than a million lines


def spec(given: bool, min_frequency: int) -> TableSpec:
    """The description; `given` with a column of the split."""
    return TableSpec(
        name="criteo",
        tasks=(Label("click"),),
        categorical=tuple(Categorical(c, min_frequency=min_frequency) for c in CATEGORIES),
        numeric=tuple(Numeric(c, transform="log1p") for c in COUNTS),
        split=Split(by="given", column="split") if given else Split(by="random"),
    )


def _source(folder: Path | None) -> Source:
    given = folder is not None and all(find(folder, name) for name in PARTS.values())
    files = {s: need(folder, "criteo", n) for s, n in PARTS.items()} if given else {"": need(folder, "criteo", *WHOLE)}
    size = sum(f.stat().st_size for f in files.values())
    return Source(
        spec=spec(given, 2 if size < SAMPLE_BYTES else 10),
        read=partial(_read, files),
        content=content_of(files.values()),
        provenance=f"Criteo display advertising challenge (Kaggle 2014), {', '.join(f.name for f in files.values())}",
        licence=LICENCE,
    )


def _read(files: dict[str, Path]) -> pl.LazyFrame:
    parts = [delimited(f, "\t", ("click", *COUNTS, *CATEGORIES)).with_columns(split=pl.lit(s)) for s, f in files.items()]
    return pl.concat(parts)


CRITEO = DataSet(
    name="criteo",
    description="display advertising, 45,840,617 rows (or a sample), 13 counts and 26 categories, 1 task: click",
    licence=LICENCE,
    kind="files",
    source=_source,
    files=f"{' or '.join(WHOLE)}, or {', '.join(PARTS.values())} (also .gz)",
)
