"""Hashed categories: the same ids everywhere, evenly spread, exact up to 2^31, and alike in preparation and in use."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.hashed import Buckets
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.layers.table_rows import table_offsets
from sandboxes.kit.schema import MOST_BUCKETS, CategoricalField, Schema

WORDS = ["red shoes", "", "é", "a rather long query about nothing", None]
IN_A_MILLION = [370656, 607537, 52009, 220066, 198487]
N = 2000


def table() -> pl.DataFrame:
    """`query` is new in almost every row; `item` is a whole number that is sometimes missing."""
    return pl.DataFrame(
        {
            "query": [WORDS[i % 9] if i % 9 < len(WORDS) else f"query {i}" for i in range(N)],
            "item": [None if i % 11 == 0 else i * 37 % 401 for i in range(N)],
            "seen": ["|".join(f"query {j}" for j in range(max(0, i - i % 4), i)) for i in range(N)],
            "user": [i % 50 for i in range(N)],
            "at": range(N),
            "y": [i * i % 3 == 1 for i in range(N)],
        }
    )


def spec(query: int, item: int = 1000) -> TableSpec:
    return TableSpec(
        "hashed",
        (Label("y"),),
        (Categorical("query", hash_buckets=query), Categorical("item", hash_buckets=item), Categorical("user")),
        sequences=(Sequence("seen", of="query", length=2, column="seen"), Sequence("past", of="item", length=3)),
        user="user",
        time="at",
        split=Split(by="time"),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(Source(spec(MOST_BUCKETS), table, "1"), tmp_path_factory.mktemp("hashed"))


def test_ids_are_what_they_always_were_in_any_process() -> None:
    """Changing these values makes every model that was trained on hashed ids useless."""
    assert Buckets(10**6).encode(pl.Series(WORDS)).tolist() == IN_A_MILLION
    code = (
        "import polars as pl; from sandboxes.kit.data.hashed import Buckets;"
        f"print(Buckets(10**6).encode(pl.Series({WORDS!r})).tolist())"
    )
    for seed in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert said.stdout.strip() == str(IN_A_MILLION), said.stderr


@pytest.mark.parametrize("buckets", [97, 128])
def test_buckets_fill_evenly(buckets: int) -> None:
    ids = Buckets(buckets).encode(pl.Series([f"item {i}" for i in range(buckets * 1000)]))
    counts = np.bincount(ids, minlength=buckets + 2)
    assert (counts[:2] == 0).all() and len(counts) == buckets + 2
    chi_square = ((counts[2:] - 1000) ** 2 / 1000).sum()
    assert abs(chi_square - (buckets - 1)) < 5 * np.sqrt(2 * (buckets - 1))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=30), st.integers(1, MOST_BUCKETS))
def test_ids_lie_in_range_and_null_is_a_value(values: list[str | None], count: int) -> None:
    buckets = Buckets(count)
    ids = buckets.encode(pl.Series(values, dtype=pl.String))
    assert ids.dtype == np.int32 and (ids >= 2).all() and (ids.astype(np.int64) < buckets.cardinality).all()
    assert buckets.cardinality <= 2**31 - 1
    null = buckets.encode(pl.Series([None], dtype=pl.String))[0]
    assert all((i == null) for i, v in zip(ids, values, strict=True) if v is None)


def test_null_is_told_from_text() -> None:
    ids = Buckets(MOST_BUCKETS).encode(pl.Series([None, "", "null", "None", "nan"]))
    assert len(set(ids.tolist())) == 5


def test_values_that_train_never_saw_have_their_bucket(made: Prepared) -> None:
    for split in ("train", "valid", "test"):
        assert "query" not in made.facts["unknown"][split] and "item" not in made.facts["unknown"][split]
    first = made.sizes["train"] + made.sizes["valid"]
    wanted = Buckets(MOST_BUCKETS).encode(table()["query"][first:])
    assert load_split(made.visible, "test").ids[:, 0].tolist() == wanted.tolist()
    assert [f.cardinality for f in made.schema.categorical][:2] == [2**31 - 1, 1002]


def test_in_use_ids_are_those_of_preparation_to_the_last_bit(made: Prepared) -> None:
    first = made.sizes["train"] + made.sizes["valid"]
    rows, seen = table()[first:], load_split(made.visible, "test").batch(slice(None))
    encoded = Encoders.of(made).encode(rows)
    assert encoded.ids.dtype == torch.int64 and encoded.ids.equal(seen.ids)
    assert encoded.history["seen"].equal(seen.history["seen"])
    assert (seen.ids[:, 0] > 2**30).any() and (seen.ids[:, 0] % 2 == 1).any(), "ids that float32 cannot hold are among them"
    as_floats = rows.with_columns(pl.col("item").cast(pl.Float64))
    assert Encoders.of(made).encode(as_floats).ids.equal(seen.ids)


def test_histories_are_made_of_the_same_ids(made: Prepared) -> None:
    train = load_split(made.visible, "train")
    assert train.history["past"][150, -1] == train.ids[100, 1]  # user 0 comes every 50 rows
    queries = [None if not s else s.split("|")[-1] for s in table()["seen"][:8]]
    wanted = [0 if q is None else int(Buckets(MOST_BUCKETS).encode(pl.Series([q]))[0]) for q in queries]
    assert train.history["seen"][:8, -1].tolist() == wanted


def test_nothing_is_as_large_as_the_number_of_buckets(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        prepare(Source(spec(MOST_BUCKETS, MOST_BUCKETS), table, "1"), tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


def test_without_a_vocabulary_none_is_kept(tmp_path: Path) -> None:
    alone = TableSpec("alone", (Label("y"),), (Categorical("query", hash_buckets=50),), split=Split(key=("at",)))
    made = prepare(Source(alone, table, "1"), tmp_path)
    assert not (made.root / "vocabularies.parquet").exists()
    assert Encoders.of(made).encode(table().head(5)).ids[:, 0].tolist() == Buckets(50).encode(table()["query"].head(5)).tolist()


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (Categorical("query", hash_buckets=-1), "hash_buckets of 'query' must lie between 1 and 2,147,483,645"),
        (Categorical("query", hash_buckets=MOST_BUCKETS + 1), "must lie between"),
        (Categorical("query", hash_buckets=10, min_frequency=2), "leave min_frequency out"),
    ],
)
def test_impossible_buckets_are_said(field: Categorical, said: str) -> None:
    with pytest.raises(DataError, match=said):
        TableSpec("bad", (Label("y"),), (field,))


def test_rows_of_one_table_are_counted_beyond_31_bits() -> None:
    """Local ids fit int32; the rows of the table that all fields share do not, and are summed without overflow."""
    largest = 2**31 - 1
    schema = Schema(tuple(CategoricalField(f"c{i}", largest) for i in range(3)))
    offsets = table_offsets(schema)
    ids = torch.from_numpy(np.full((1, 3), largest - 1, dtype=np.int32).astype(np.int64))
    assert offsets.dtype == torch.int64 and offsets.tolist() == [0, largest, 2 * largest]
    assert (ids + offsets).tolist() == [[largest - 1, 2 * largest - 1, 3 * largest - 1]]
