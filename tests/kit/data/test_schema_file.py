"""Schema files and guesses: what a user's own table becomes, and what is said when it cannot."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sandboxes.kit.data import DataError, schema_file, tables
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.schema_file import read_schema_file
from sandboxes.kit.datasets import resolve_data


def shop(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """A made-up log with everything a schema file can name."""
    r = random.Random(seed)
    clicks = [int(r.random() < 0.4) for _ in range(rows)]
    return pl.DataFrame(
        {
            "user_id": [r.randrange(20) for _ in range(rows)],
            "item": [f"i{r.randrange(15)}" for _ in range(rows)],
            "tab": [("home", "search")[r.randrange(2)] for _ in range(rows)],
            "price": [None if r.random() < 0.1 else round(r.random() * 100, 2) for _ in range(rows)],
            "timestamp": list(range(rows)),
            "history": ["|".join(f"i{r.randrange(15)}" for _ in range(r.randrange(4))) for _ in range(rows)],
            "clicked": clicks,
            "purchase": [int(r.random() < 0.5) if c else None for c in clicks],
        }
    )


SCHEMA = """
name = "my-shop"
files = "log.csv"
user = "user_id"
time = "timestamp"
scenario = "tab"
target_item = "item_id"
provenance = "made up"
licence = "none"

[[categorical]]
name = "user_id"
side = "user"
[[categorical]]
name = "item_id"
column = "item"
min_frequency = 2
side = "item"
[[categorical]]
name = "tab"
[[numeric]]
name = "price"
transform = "log1p"
[[sequence]]
name = "given_items"
of = "item_id"
length = 3
column = "history"
[[sequence]]
name = "clicked_items"
of = "item_id"
length = 5
where = "click"
[[task]]
name = "click"
column = "clicked"
[[task]]
name = "purchase"
given = "click"
[split]
by = "time"
train = 0.7
valid = 0.1
test = 0.2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shop().write_csv(tmp_path / "log.csv")
    (tmp_path / "shop.toml").write_text(SCHEMA)
    return tmp_path


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in SCHEMA
    (folder / "shop.toml").write_text(SCHEMA.replace(old, new))
    return folder / "shop.toml"


def test_a_schema_file_decides_everything(folder: Path) -> None:
    made = resolve_data(str(folder / "shop.toml"), folder / "data")
    assert made.name == "my-shop" and made.provenance == "made up" and made.licence == "none"
    assert made.sizes == {"train": 420, "valid": 60, "test": 120}
    assert [f.name for f in made.schema.categorical] == ["user_id", "item_id", "tab"]
    assert [(t.name, t.given) for t in made.schema.tasks] == [("click", None), ("purchase", "click")]
    assert made.schema.scenario == "tab" and made.schema.target_item == "item_id"
    raw, test = shop(), load_split(made.visible, "test")
    given = [len(h.split("|")[-3:]) if h else 0 for h in raw["history"][480:]]
    assert (test.history["given_items"] != 0).sum(1).tolist() == given
    groups = made.groups("test")
    assert groups is not None and len(set(zip(groups.tolist(), raw["user_id"][480:].to_list(), strict=True))) == len(set(groups))
    assert np.nan_to_num(made.hidden_labels("test")[:, 1]).tolist() == raw["purchase"][480:].fill_null(0).to_list()


def test_the_documented_example_is_valid(tmp_path: Path) -> None:
    lines = (schema_file.__doc__ or "").splitlines()
    example = "\n".join(line[4:] for line in lines if line.startswith("    "))
    shop().write_csv(tmp_path / "log.csv")
    (tmp_path / "image_vectors.parquet").touch()
    (tmp_path / "example.toml").write_text(example)
    read = read_schema_file(tmp_path / "example.toml")
    assert read.spec.name == "my-shop" and read.spec.allow == ("price",) and read.spec.tasks[1].given == "click"
    assert [c.hash_buckets for c in read.spec.categorical] == [0, 100_000_000, 0, 0]
    assert [c.shares for c in read.spec.categorical] == ["", "", "item_id", ""]
    assert [d.how for d in read.spec.derived] == ["bins"]
    assert [(v.name, v.of, v.key, v.column) for v in read.spec.vectors] == [("image", "item_id", "item", "vector")]
    assert read.vector_files == {"image": tmp_path / "image_vectors.parquet"}


def test_hashed_categories_of_a_schema_file(folder: Path) -> None:
    made = resolve_data(str(changed(folder, "min_frequency = 2", "hash_buckets = 64")), folder / "data")
    assert "hash_buckets" not in SCHEMA and 66 in [f.cardinality for f in made.schema.categorical]


def test_files_per_split(folder: Path) -> None:
    table = shop()
    table[:400].write_parquet(folder / "a.parquet")
    table[400:500].write_csv(folder / "b.csv")
    table[500:].write_csv(folder / "c.csv")
    text = SCHEMA.replace('"log.csv"', '{ train = "a.parquet", valid = "b.csv", test = "c.csv" }').replace('by = "time"', "")
    (folder / "parts.toml").write_text(text)
    assert resolve_data(str(folder / "parts.toml"), folder / "data").sizes == {"train": 400, "valid": 100, "test": 100}
    (folder / "parts.toml").write_text(text.replace('valid = "b.csv", ', ""))
    sizes = resolve_data(str(folder / "parts.toml"), folder / "data").sizes
    assert sizes["test"] == 100 and sizes["train"] + sizes["valid"] == 400 and sizes["valid"] > 20


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "my-shop"', 'nmae = "my-shop"', "'nmae' is unknown"),
        ('files = "log.csv"', 'files = "nowhere.csv"', "nowhere.csv does not exist"),
        ('files = "log.csv"', "", "files must name the table"),
        ('files = "log.csv"', 'files = { train = "log.csv" }', "at least train and test"),
        ('files = "log.csv"', 'files = { train = "log.csv", test = "log.csv" }', "may only name shares"),
        ("min_frequency = 2", 'min_frequency = "two"', "must be a number"),
        ("min_frequency = 2", "min_frequency = 0", "at least 1"),
        ("min_frequency = 2", "hash_buckets = 2_147_483_646", "between 1 and 2,147,483,645"),
        ("min_frequency = 2", "hash_buckets = 1e8", "must be a number"),
        ('transform = "log1p"', 'transform = "log"', "standardize, log1p, none"),
        ('side = "user"', 'sied = "user"', "'sied' is unknown in [[categorical]]"),
        ('column = "item"', 'column = "itme"', "no column 'itme'"),
        ('column = "item"', 'column = "clicked"', "'clicked' is also a feature"),
        ('of = "item_id"', 'of = "items"', "no categorical field and no task"),
        ('given = "click"', 'given = "view"', "no earlier task"),
        ('scenario = "tab"', 'scenario = "price"', "no categorical field"),
        ('where = "click"', 'where = "buy"', "which is no task"),
        ('name = "clicked_items"', 'name = "../../x"', "letters, digits"),
        ("train = 0.7", "train = 0.9", "add up to 1"),
        ('time = "timestamp"', "", "needs a user and a time column"),
        ('given = "click"', 'given = "click"\narrives = "item"', "'item' says when a label arrives and is also a feature"),
        ("[[numeric]]", "[numeric]", "two brackets"),
        ("length = 3", "length = 3.5", "must be a number"),
        ('by = "time"', 'by = "luck"', "random, time, last, given"),
        ('user = "user_id"', "user = [", "is no TOML"),
        ('column = "clicked"', 'column = "tab"', "is also a feature"),
        ('name = "price"', 'name = "item"', "the numeric column 'item' holds"),
    ],
)  # fmt: skip
def test_mistakes_are_said_in_one_sentence(folder: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        resolve_data(str(changed(folder, old, new)), folder / "data")
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert not list((folder / "data").glob(".*")) if (folder / "data").exists() else True


def test_a_bare_table_is_guessed_and_the_guess_is_said(tmp_path: Path) -> None:
    table = shop(3000).drop("history", "purchase").with_columns(pl.Series("note", [f"row {i}" for i in range(3000)]))
    table.rename({"clicked": "click", "item": "item_id"}).write_parquet(tmp_path / "bare.parquet")
    made = resolve_data(str(tmp_path / "bare.parquet"), tmp_path / "data")
    assert [f.name for f in made.schema.categorical] == ["user_id", "item_id", "tab"]
    assert [f.name for f in made.schema.numeric] == ["price"]
    assert made.schema.target_item == "item_id" and made.groups("test") is not None
    for words in ("guessed without a schema file", "label click", "split time", "left out note", "user user_id"):
        assert words in made.provenance


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv"])
def test_kinds_of_files(tmp_path: Path, ending: str) -> None:
    text = shop().drop("history", "purchase", "timestamp").rename({"clicked": "label"})
    content = text.write_csv(separator="\t" if ending == ".tsv" else ",").encode()
    file = tmp_path / f"table{ending}"
    file.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    made = resolve_data(str(file), tmp_path / "data")
    assert made.name == "table" and sum(made.sizes.values()) == 600


def test_what_is_no_data_is_said_in_one_sentence(tmp_path: Path) -> None:
    shop().drop("clicked").write_csv(tmp_path / "nolabel.csv")
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "header.csv").write_bytes(b"a,b,label\n")
    (tmp_path / "ragged.csv").write_bytes(b"a,label\n1,0\n1,1,1,1\n")
    for name, said in (
        (f"{tmp_path}/nolabel.csv", "the label is unknown"),
        (f"{tmp_path}/x.xlsx", "no table that can be read"),
        (f"{tmp_path}/broken.parquet", "cannot be read"),
        (f"{tmp_path}/empty.csv", "cannot be read"),
        (f"{tmp_path}/header.csv", "no rows"),
        (f"{tmp_path}/ragged.csv", "cannot be read"),
        (f"{tmp_path}/nowhere.csv", "does not exist"),
        (str(tmp_path), "is a folder"),
        ("cencus-income", "did you mean census-income?"),
        ("moviedata", "movielens-1m"),
        ("census-income=/x", "needs no files"),
        ("avazu=/no/such/folder", "is not a folder"),
    ):
        with pytest.raises(DataError) as caught:
            resolve_data(name, tmp_path / "data")
        assert said in str(caught.value) and "\n" not in str(caught.value), name


LATE = {
    "whole numbers turn into fractions": (["1", "2", "3.5"], [1.0, 2.0, 3.5]),
    "numbers turn into text": (["1", "2", "x"], ["1", "2", "x"]),
    "truth turns into numbers": (["true", "false", "7"], ["true", "false", "7"]),
    "a column begins empty": (["", "", "7"], [None, None, 7]),
    "all fit": (["1", "", "7"], [1, None, 7]),
    "text stays text": (["x", "", "7"], ["x", None, "7"]),
}


@pytest.mark.parametrize(("written", "read"), LATE.values(), ids=list(LATE))
def test_types_are_those_of_all_rows(
    written: list[str], read: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "FIRST_ROWS", 2)
    file = tmp_path / "late.csv"
    file.write_text("\n".join(["n,v", *(f"{i},{v}" for i, v in enumerate(written))]) + "\n")
    frame = tables.read_table(file).collect()
    assert frame["v"].to_list() == read
    assert frame.equals(pl.read_csv(file, infer_schema_length=None)) and frame.schema == pl.read_csv(file).schema
