"""MovieLens-1M and -100K as click prediction, from GroupLens' own files or from atomic files (.inter, .user, .item).

Label: a rating of 4 or 5 is positive, every other negative, as in DIN (Zhou et al., KDD 2018, section 6.1); no rating is
dropped. Split: 8:1:1 by a hash of user and item. History: the last 50 films that the user had rated 4 or 5 strictly
earlier, among train rows (and, for valid and test rows, valid rows).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, find, need
from sandboxes.kit.datasets.download import fetch_zip
from sandboxes.kit.datasets.reading import atomic, delimited, double_colon

LICENCE = "GroupLens terms: research use with acknowledgement, no redistribution, no commercial use without permission"
URL = "https://files.grouplens.org/datasets/movielens/{}.zip"
# fmt: off
GENRES = (  # the order of the flags in u.item, by its README
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)
# fmt: on
RATINGS = ("user_id", "item_id", "rating", "timestamp")
OFFICIAL_1M = ("ratings.dat", "users.dat", "movies.dat")
OFFICIAL_100K = ("u.data", "u.user", "u.item")


def spec(name: str) -> TableSpec:
    """The description of either set."""
    return TableSpec(
        name=name,
        tasks=(Label("liked", "rating", at_least=4.0),),
        categorical=(
            Categorical("user_id", side="user"),
            Categorical("gender", side="user"),
            Categorical("age", side="user"),
            Categorical("occupation", side="user"),
            Categorical("zip_code", min_frequency=10, side="user"),
            Categorical("item_id", side="item"),
            Categorical("genres", min_frequency=10, side="item"),
            Categorical("release_year", min_frequency=10, side="item"),
        ),
        sequences=(Sequence("liked_items", of="item_id", length=50, where="liked"),),
        user="user_id",
        time="timestamp",
        target_item="item_id",
        split=Split(by="random", key=("user_id", "item_id")),
    )


def next_film(name: str) -> TableSpec:
    """The same log as a question for items: which film does a user like next? Each user's last liked film tests, the one before
    validates; nothing that lies in the future of a train row is known to it."""
    return replace(spec(name), name=f"{name}-next", split=Split(by="last"), predicts="items")


def _source(
    name: str, described: Callable[[str], TableSpec], atomic_stem: str, official: tuple[str, ...], folder: Path | None
) -> Source:
    """Official files where they are, else atomic ones. Raises `DataError` when neither are complete."""
    suffixes = (".inter", ".user", ".item")
    names = tuple(f"{atomic_stem}{s}" for s in suffixes)
    use_atomic = folder is not None and find(folder, official[0]) is None and find(folder, names[0]) is not None
    files = tuple(need(folder, name, n) for n in (names if use_atomic else official))
    read = partial(_atomic if use_atomic else {"ratings.dat": _dat, "u.data": _u_files}[official[0]], files)
    return Source(described(name), read, content_of(files), "GroupLens, https://grouplens.org/datasets/movielens/", LICENCE)


def _atomic(files: tuple[Path, ...]) -> pl.DataFrame:
    ratings, users, items = (atomic(f) for f in files)
    genre = "genre" if "genre" in items.collect_schema().names() else "class"
    return _joined(
        ratings.select(RATINGS),
        users.select("user_id", "gender", "age", "occupation", "zip_code"),
        items.select("item_id", pl.col(genre).alias("genres"), "release_year"),
    )


def _dat(files: tuple[Path, ...]) -> pl.DataFrame:
    """ratings.dat, users.dat and movies.dat of MovieLens-1M."""
    return _joined(
        double_colon(files[0], RATINGS),
        double_colon(files[1], ("user_id", "gender", "age", "occupation", "zip_code")),
        double_colon(files[2], ("item_id", "title", "genres")).select(
            "item_id", "genres", pl.col("title").str.extract(r"\((\d{4})\)\s*$").alias("release_year")
        ),
    )


def _u_files(files: tuple[Path, ...]) -> pl.DataFrame:
    """u.data, u.user and u.item of MovieLens-100K."""
    flags = [pl.when(pl.col(g) == "1").then(pl.lit(g)) for g in GENRES]
    items = delimited(files[2], "|", ("item_id", "title", "released", "video_released", "url", *GENRES))
    return _joined(
        delimited(files[0], "\t", RATINGS),
        delimited(files[1], "|", ("user_id", "age", "gender", "occupation", "zip_code")),
        items.select(
            "item_id",
            pl.concat_str(flags, separator="|", ignore_nulls=True).alias("genres"),
            pl.col("released").str.extract(r"(\d{4})$").alias("release_year"),
        ),
    )


def _joined(ratings: pl.LazyFrame, users: pl.LazyFrame, items: pl.LazyFrame) -> pl.DataFrame:
    return (
        ratings.with_columns(pl.col("rating", "timestamp").cast(pl.Float64))
        .join(users.unique("user_id"), on="user_id", how="left", maintain_order="left")
        .join(items.unique("item_id", keep="first", maintain_order=True), on="item_id", how="left", maintain_order="left")
        .collect()
    )


def _data_set(name: str, rows: str, archive: str, official: tuple[str, ...], described: Callable[[str], TableSpec]) -> DataSet:
    asks = "which film is liked next" if described is next_film else "1 task: rating of 4 or more"
    return DataSet(
        name=described(name).name,
        description=f"film ratings, {rows} rows, {asks}; history of liked films",
        licence=LICENCE,
        kind="files",
        source=partial(_source, name, described, archive, official),
        files=f"{', '.join(official)} (or the atomic files {archive}.inter, .user, .item; all also .gz)",
        download=partial(fetch_zip, name, URL.format(archive), official),
        folder=name,
    )


_1M = ("movielens-1m", "1,000,209", "ml-1m", OFFICIAL_1M)
_100K = ("movielens-100k", "100,000", "ml-100k", OFFICIAL_100K)
MOVIELENS_1M, MOVIELENS_100K = _data_set(*_1M, spec), _data_set(*_100K, spec)
MOVIELENS_1M_NEXT, MOVIELENS_100K_NEXT = _data_set(*_1M, next_film), _data_set(*_100K, next_film)
