"""Prepared vectors made elsewhere: whose they are, how they are scaled, what is said of files that do not fit, where they go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray

from sandboxes.kit.batch import Batch, joined
from sandboxes.kit.collection import load_collection
from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import GivenVectors, Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec, Vectors
from sandboxes.kit.datasets import resolve_data
from sandboxes.kit.schema import VectorField

W = 3
SPEC = TableSpec(
    "gallery",
    tasks=(Label("liked"),),
    categorical=(
        Categorical("guest", side="user"),
        Categorical("work", column="work no", min_frequency=2, side="item"),
        Categorical("room"),
    ),
    numeric=(Numeric("fee", side="item"),),
    sequences=(Sequence("before", of="work", length=3),),
    user="guest",
    time="at",
    target_item="work",
    split=Split(by="given"),
    vectors=(Vectors("photo", of="work"), Vectors("plan", of="room")),
)
NUMBERS = [7, 8, 9, 10, 11, 12, 99]  # works; 11 is rare in train, 12 new in test, 13 has no photo, 99 is in no row
PHOTOS = np.random.default_rng(4).normal(5, 3, (len(NUMBERS), W)).astype(np.float32)
PLANS = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)


def log() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    works = [*rng.choice([7, 8, 9, 10], 40), 11, *rng.choice([7, 8], 8), 12, *([12, 13, 8] * 4), 99, 13]
    n = len(works)
    return pl.DataFrame(
        {
            "guest": [f"g{i}" for i in rng.integers(0, 5, n)],
            "work no": np.array(works, dtype=np.int64),
            "room": ["hall" if i % 3 else None for i in range(n)],
            "fee": rng.normal(size=n),
            "at": np.arange(n),
            "liked": np.arange(n) % 2,
            "split": ["train"] * 41 + ["valid"] * 9 + ["test"] * (n - 50),
        }
    )


def given(values: list[object] = NUMBERS, vectors: NDArray[np.float32] = PHOTOS) -> GivenVectors:  # type: ignore[assignment]
    return GivenVectors(pl.Series("work no", values, strict=False), vectors)


def source(photo: GivenVectors | None = None, spec: TableSpec = SPEC, content: str = "gallery 1") -> Source:
    plans = GivenVectors(pl.Series(["hall", "attic"]), PLANS)
    return Source(spec, log, content, vectors={"photo": lambda: photo or given(), "plan": lambda: plans})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(source(), tmp_path_factory.mktemp("gallery"))


def standardised() -> dict[int, NDArray[np.float64]]:
    """Works 7 to 10 are those that train teaches."""
    taught = PHOTOS[:4].astype(np.float64)
    centre = taught.mean(0)
    return {n: (photo - centre) / (taught - centre).std() for n, photo in zip(NUMBERS, PHOTOS.astype(np.float64), strict=True)}


def test_every_row_has_the_vector_of_its_raw_value_whatever_train_taught(made: Prepared) -> None:
    assert made.schema.vectors == (VectorField("photo", "work", W + 1), VectorField("plan", "room", 3))
    frame, wanted = log(), standardised()
    for split in ("train", "valid", "test"):
        own = frame.filter(pl.col("split") == split)
        batch = load_split(made.visible, split).batch(slice(0, len(own)))
        photos = batch.vectors("photo")
        for work, photo in zip(own["work no"].to_list(), photos.numpy(), strict=True):
            if work in wanted:
                np.testing.assert_allclose(photo, [*wanted[work], 1], rtol=1e-4, atol=1e-5)
            else:
                assert (photo == 0).all()
        assert (batch.vectors("plan")[:, -1].numpy() == own["room"].is_not_null().to_numpy()).all()
    unknown = load_split(made.visible, "test").ids[:, made.schema.index_of("work")] == 1
    assert unknown.sum() > 5, "the test has works that train does not teach"


def test_the_table_has_a_row_for_every_id_and_then_for_other_values(made: Prepared) -> None:
    rows = load_split(made.visible, "train")
    table, work = rows.tables["photo"].values.numpy(), made.schema.categorical[made.schema.index_of("work")]
    assert table.shape == (work.cardinality + 3, W + 1) and (table[:2] == 0).all()
    taught = table[2 : work.cardinality, :-1]
    np.testing.assert_allclose(taught.mean(0), 0, atol=1e-5)
    assert np.isclose(np.square(taught).mean(), 1, rtol=1e-4)
    known = pl.read_parquet(made.root / "vocabularies.parquet").filter(pl.col("field") == "photo")
    assert known["value"].to_list() == ["11", "12", "99"] and known["id"].to_list() == [6, 7, 8]
    assert made.facts["vectors"]["test"]["photo"] == pytest.approx(9 / 14, abs=1e-4)


def test_entries_of_histories_have_the_vectors_of_their_ids(made: Prepared) -> None:
    batch = load_split(made.visible, "test").batch(slice(0, 14))
    known = batch.tables["photo"](batch.history["before"])
    assert known.shape == (14, 3, W + 1)
    assert ((known[:, :, -1] == 1) == (batch.history["before"] > 1)).all()


def test_batches_keep_their_vectors(made: Prepared) -> None:
    rows = load_split(made.visible, "train")
    whole = rows.batch(slice(0, 41))
    chosen = np.array([5, 0, 40, 5])
    by_index = rows.batch(chosen)
    parts: list[Batch] = [rows.batch(slice(0, 20)), rows.batch(slice(20, 41))]
    for name in ("photo", "plan"):
        assert torch.equal(by_index.vectors(name), whole.vectors(name)[chosen])
        assert torch.equal(whole[torch.from_numpy(chosen)].vectors(name), whole.vectors(name)[chosen])
        assert torch.equal(joined(parts).vectors(name), whole.vectors(name))
        assert torch.equal(whole.to("cpu").vectors(name), whole.vectors(name))


def test_new_rows_are_encoded_alike(made: Prepared) -> None:
    encoders, frame = Encoders.of(made), log()
    for split in ("train", "test"):
        own = frame.filter(pl.col("split") == split).drop("liked", "split")
        own = own.with_columns(pl.col("work no").cast(pl.Float64))  # as a table with a missing number holds it
        wanted = load_split(made.visible, split).batch(slice(0, len(own)))
        found = encoders.encode(own)
        for name in ("photo", "plan"):
            assert torch.equal(found.vectors(name), wanted.vectors(name))


def test_the_hashes_cover_the_vectors(made: Prepared, tmp_path: Path) -> None:
    again = prepare(source(), tmp_path / "a")
    assert again.data_hash == made.data_hash
    other = prepare(source(given(vectors=PHOTOS[::-1].copy()), content="gallery 2"), tmp_path / "b")
    assert other.data_hash != made.data_hash
    lazy = replace(source(), read=lambda: log().lazy())
    assert prepare(lazy, tmp_path / "c").data_hash == made.data_hash


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        (given(["a", "b"], PHOTOS[:2]), "no value of the field's train rows has one of the vectors 'photo'"),
        (given([7, 8, 7], PHOTOS[:3]), "'7' has several of the vectors 'photo'"),
        (given([7, 8], np.array([[1, 2], [np.nan, 3]], np.float32)), "'photo' of '8' is not finite"),
        (given([7, 8], np.array([[1, 2], [np.inf, 3]], np.float32)), "'photo' of '8' is not finite"),
        (given([None, None], PHOTOS[:2]), "are none"),
    ],
)
def test_vectors_that_cannot_be(photo: GivenVectors, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        prepare(source(photo), tmp_path)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (Vectors("photo", of="painter"), "of 'painter', which is no categorical field"),
        (Vectors("work", of="work"), "'work' is named twice"),
        (Vectors("pho/to", of="work"), "names a file too"),
        (Vectors("photo", of="work", column="v", columns=("a",)), "leave one out"),
    ],
)
def test_descriptions_that_cannot_be(vectors: Vectors, said: str) -> None:
    with pytest.raises(DataError, match=said):
        replace(SPEC, vectors=(vectors,))


def test_hashed_fields_refuse_vectors() -> None:
    hashed = replace(SPEC.categorical[1], min_frequency=1, hash_buckets=50)
    with pytest.raises(DataError, match="'work' has hash_buckets, whose ids stand for no single value"):
        replace(SPEC, categorical=(SPEC.categorical[0], hashed, SPEC.categorical[2]))


def test_queries_hide_what_is_the_items_and_the_collection_has_it(tmp_path: Path) -> None:
    spec = replace(
        SPEC,
        predicts="items",
        categorical=(SPEC.categorical[0], replace(SPEC.categorical[1], min_frequency=1)),
        sequences=(),
        user=None,
        vectors=(SPEC.vectors[0], Vectors("portrait", of="guest")),
    )
    portraits = GivenVectors(
        pl.Series([f"g{i}" for i in range(5)]), np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    )
    made = prepare(replace(source(spec=spec), vectors={"photo": given, "portrait": lambda: portraits}), tmp_path)
    for split in ("train", "valid", "test"):
        batch = load_split(made.visible, split).batch(slice(0, made.sizes[split]))
        assert (batch.vectors("photo") == 0).all() and (batch.vectors("portrait")[:, -1] == 1).all()
    met = load_collection(made.visible)
    assert met is not None
    photos, portraits_of = met.items.vectors("photo"), met.items.vectors("portrait")
    assert torch.equal(photos, met.items.tables["photo"].values[: len(photos)]) and (photos[2:, -1] == 1).all()
    assert (photos[:2] == 0).all() and (portraits_of == 0).all()
    rows = log().filter(pl.col("split") == "test").drop("work no", "fee")
    assert (Encoders.of(made).encode(rows).vectors("photo") == 0).all()


# Files

TOML = """
files = "log.csv"
[[categorical]]
name = "guest"
[[categorical]]
name = "work"
column = "work no"
min_frequency = 2
[[numeric]]
name = "fee"
[[vectors]]
name = "photo"
of = "work"
file = "{file}"
{more}
[[task]]
name = "liked"
[split]
by = "given"
"""


def prepared_from(folder: Path, file: str, more: str = "") -> Prepared:
    log().write_csv(folder / "log.csv")
    (folder / "gallery.toml").write_text(TOML.format(file=file, more=more))
    return resolve_data(str(folder / "gallery.toml"), folder / "data")


def write_files(folder: Path) -> None:
    lists = pl.DataFrame({"work no": NUMBERS, "photo": PHOTOS.tolist(), "size": NUMBERS})
    numbers = pl.DataFrame({"work no": NUMBERS, **{f"p{i}": PHOTOS[:, i] for i in range(W)}})
    lists.write_parquet(folder / "lists.parquet")
    lists.with_columns(pl.col("photo").cast(pl.Array(pl.Float64, W))).rename({"work no": "no"}).write_parquet(
        folder / "arrays.pq"
    )
    numbers.write_csv(folder / "numbers.csv")
    np.savez(folder / "arrays.npz", keys=np.array(NUMBERS), vectors=PHOTOS)
    np.savez(folder / "texts.npz", keys=np.array([str(n) for n in NUMBERS]), vectors=PHOTOS)


@pytest.mark.parametrize(
    ("file", "more"),
    [
        ("lists.parquet", ""),
        ("lists.parquet", 'column = "photo"'),
        ("arrays.pq", 'key = "no"'),
        ("numbers.csv", ""),
        ("numbers.csv", 'columns = ["p0", "p1", "p2"]'),
        ("arrays.npz", ""),
        ("texts.npz", ""),
    ],
)
def test_files_of_every_kind_give_the_same(file: str, more: str, tmp_path: Path, made: Prepared) -> None:
    write_files(tmp_path)
    found = prepared_from(tmp_path, file, more)
    wanted = load_split(made.visible, "train").tables["photo"].values
    np.testing.assert_allclose(load_split(found.visible, "train").tables["photo"].values, wanted, rtol=1e-5, atol=1e-6)


def test_another_file_is_other_data(tmp_path: Path) -> None:
    write_files(tmp_path)
    first = prepared_from(tmp_path, "arrays.npz")
    np.savez(tmp_path / "arrays.npz", keys=np.array(NUMBERS), vectors=PHOTOS[::-1])
    second = prepared_from(tmp_path, "arrays.npz")
    assert not second.reused and second.data_hash != first.data_hash


@pytest.mark.parametrize(
    ("file", "more", "said"),
    [
        ("none.parquet", "", "none.parquet does not exist"),
        ("lists.parquet", 'key = "no"', "has no column 'no'; it has 'work no', 'photo', 'size'"),
        ("lists.parquet", 'column = "face"', "has no column 'face'"),
        ("lists.parquet", 'column = "size"', "the column 'size' of .* holds no lists of numbers"),
        ("ragged.parquet", "", "different lengths, from 1 to 2; make them equal"),
        ("hole.parquet", "", "'photo' of '8' is not finite"),
        ("words.csv", 'columns = ["p0"]', "the column 'p0' of .* holds no numbers"),
        ("words.csv", "", "has no column of lists and none of numbers"),
        ("broken.npz", "", "cannot be read as arrays keys and vectors"),
        ("objects.npz", "", "cannot be read as arrays keys and vectors"),
        ("short.npz", "", "there must be a row of vectors for each key"),
        ("lists.parquet", "width = 3", "'width' is unknown in \\[\\[vectors\\]\\]"),
        ("lists.parquet", "columns = [1]", "must be a list of texts"),
    ],
)
def test_what_is_said_of_files_that_do_not_fit(file: str, more: str, said: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    pl.DataFrame({"work no": [7, 8], "photo": [[1.0], [1.0, 2.0]]}).write_parquet(tmp_path / "ragged.parquet")
    pl.DataFrame({"work no": [7, 8], "photo": [[1.0, 2.0], [1.0, None]]}).write_parquet(tmp_path / "hole.parquet")
    pl.DataFrame({"work no": [7, 8], "p0": ["a", "b"]}).write_csv(tmp_path / "words.csv")
    (tmp_path / "broken.npz").write_text("no arrays")
    np.savez(tmp_path / "objects.npz", keys=np.array(["7", 8], dtype=object), vectors=PHOTOS[:2])
    np.savez(tmp_path / "short.npz", keys=np.array([7, 8]), vectors=PHOTOS[:3])
    with pytest.raises(DataError, match=said):
        prepared_from(tmp_path, file, more)


def test_a_file_is_named_in_words_when_it_is_missing_from_the_description(tmp_path: Path) -> None:
    log().write_csv(tmp_path / "log.csv")
    (tmp_path / "g.toml").write_text(TOML.format(file="x", more="").replace('file = "x"', ""))
    with pytest.raises(DataError, match=r"\[\[vectors\]\] needs file"):
        resolve_data(str(tmp_path / "g.toml"), tmp_path / "data")
