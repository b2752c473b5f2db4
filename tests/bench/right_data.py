"""The data sets of the comparison with FuxiCTR as arrays in three splits, made once. Notation: n rows, F fields.

MovieLens-1M is the benchmark's, with a ninth of its training rows as valid (so 8:1:1). Frappe is the kit's reading of the libfm
files, split 7:1:2. BARS' official files keep their own splits; values that train does not hold share one id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from bench import movielens
from bench.arrays import Ids, Labels, Meta, read_meta, read_split

from sandboxes.kit.datasets.frappe import FIELDS, FRAPPE

UNKNOWN = 1  # the id of values that train does not hold
VALID_OF_TRAIN = 1 / 9

Rows = tuple[Ids, Labels]


def movielens_1m(home: Path, raw: Path) -> Path:
    """The folder of MovieLens-1M; `raw` holds ml-1m.inter, .user and .item."""
    return _made(home / "right" / "data" / "movielens-1m", lambda: _movielens(movielens.prepared(home, raw)))


def frappe(home: Path, raw: Path) -> Path:
    """The folder of Frappe; `raw` holds the libfm files."""
    return _made(home / "right" / "data" / "frappe", lambda: _frappe(raw))


def bars(home: Path, name: str, raw: Path) -> Path:
    """The folder of a set of the board; `raw` holds train.csv, valid.csv and test.csv, each with a column `label`."""
    return _made(home / "right" / "data" / name, lambda: _bars(name, raw))


def _made(folder: Path, make: Callable[[], tuple[Meta, Mapping[str, Rows]]]) -> Path:
    """meta.json is written last, since it says that all is there."""
    if not (folder / "meta.json").exists():
        meta, splits = make()
        folder.mkdir(parents=True, exist_ok=True)
        for split, (ids, labels) in splits.items():
            np.save(folder / f"{split}.ids.npy", ids)
            np.save(folder / f"{split}.labels.npy", labels)
        (folder / "meta.json").write_text(json.dumps(asdict(meta), indent=1), encoding="utf-8")
    return folder


def _movielens(folder: Path) -> tuple[Meta, Mapping[str, Rows]]:
    train, test = read_split(folder, "train"), read_split(folder, "test")  # train's rows are shuffled already
    valid = round(VALID_OF_TRAIN * len(train))
    splits = {
        "train": (train.ids[valid:], train.labels[valid:]),
        "valid": (train.ids[:valid], train.labels[:valid]),
        "test": (test.ids, test.labels),
    }
    return read_meta(folder), splits


def _frappe(raw: Path, shares: tuple[float, float] = (0.7, 0.8), seed: int = 0) -> tuple[Meta, Mapping[str, Rows]]:
    table = FRAPPE.source(raw).read().lazy().collect()
    ids = table.select(pl.col(FIELDS).rank("dense").cast(pl.Int32)).to_numpy()  # from 1 up
    cardinalities = tuple(int(top) + 1 for top in ids.max(0))
    labels = table["used"].cast(pl.Float32).to_numpy()
    order = np.random.default_rng(seed).permutation(len(labels))
    parts = np.split(order, [round(share * len(labels)) for share in shares])
    meta = Meta("frappe", FIELDS, cardinalities, {"positives": float(labels.mean())})
    return meta, {split: (ids[rows], labels[rows]) for split, rows in zip(("train", "valid", "test"), parts, strict=True)}


def _bars(name: str, raw: Path) -> tuple[Meta, Mapping[str, Rows]]:
    tables = {split: pl.read_csv(raw / f"{split}.csv", infer_schema=False) for split in ("train", "valid", "test")}
    fields = tuple(column for column in tables["train"].columns if column != "label")
    known = {field: tables["train"][field].unique().sort() for field in fields}
    splits: dict[str, Rows] = {}
    for split, table in tables.items():
        columns = [_ids(table[field], known[field]) for field in fields]
        labels = table["label"].cast(pl.Float64).cast(pl.Float32).to_numpy()
        splits[split] = (np.stack(columns, axis=1).astype(np.int32), labels)
    meta = Meta(name, fields, tuple(len(known[field]) + UNKNOWN + 1 for field in fields))
    return meta, splits


def _ids(column: pl.Series, known: pl.Series) -> np.ndarray:
    """Ids (n,): those of `known` follow the unknown one in its order."""
    numbers = pl.Series(np.arange(len(known)) + UNKNOWN + 1)
    return column.replace_strict(known, numbers, default=UNKNOWN, return_dtype=pl.Int64).to_numpy()
