"""MovieLens-1M as ids: who rated what, and whether the rating was 4 or more; seven fields, split at random nine to one.

Reads the files that RecBole's packages carry (ml-1m.inter or .inter.gz, .user, .item; tab-separated with a typed header), the
data of Harper and Konstan, TiiS 2015.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
from bench.arrays import Meta, write

FIELDS = ("user_id", "item_id", "gender", "age", "occupation", "zip_code", "release_year")
LIKED = 4.0


def prepared(home: Path, raw: Path, rows: int | None = None, seed: int = 0) -> Path:
    """The folder of the data set, made from `raw` when it is not there yet; `rows` keeps a random part. Raises
    `FileNotFoundError` when `raw` lacks a file."""
    folder = home / (f"movielens-1m-{seed}" if rows is None else f"movielens-1m-{rows}-{seed}")
    if not (folder / "meta.json").exists():
        table = _table(raw)
        if rows is not None:
            table = table.sample(min(rows, len(table)), seed=seed)
        ids = table.select(pl.col(FIELDS).rank("dense").cast(pl.Int32)).to_numpy()  # from 1 up, in order of the values
        cardinalities = tuple(int(top) + 1 for top in ids.max(0))
        labels = (table["rating"].to_numpy() >= LIKED).astype(np.float32)
        write(
            folder,
            Meta(folder.name, FIELDS, cardinalities, {"positives": float(labels.mean())}),
            np.ascontiguousarray(ids),
            labels,
            seed,
        )
    return folder


def _table(raw: Path) -> pl.DataFrame:
    """The ratings with what is known of user and item, in file order."""
    ratings, users, items = (_read(raw, f"ml-1m.{part}") for part in ("inter", "user", "item"))
    joined = ratings.join(users, on="user_id", how="left", maintain_order="left")
    return joined.join(items, on="item_id", how="left", maintain_order="left").with_columns(pl.col(FIELDS).fill_null(""))


def _read(raw: Path, name: str) -> pl.DataFrame:
    plain, packed = raw / name, raw / f"{name}.gz"
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    table = pl.read_csv(content, separator="\t", infer_schema=False, quote_char=None)
    return table.rename({column: column.split(":")[0] for column in table.columns}).with_columns(
        pl.col("^rating$").cast(pl.Float64)
    )
