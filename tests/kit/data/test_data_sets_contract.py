"""What every registered data set must do: its official files become prepared data that keeps the contract."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from official_files import WRITERS
from shared_data import need_shared

from sandboxes.kit.collection import load_collection
from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import ArrayRows, load_split
from sandboxes.kit.data.prepared import SPLITS
from sandboxes.kit.datasets import DATASETS, known_data_sets, resolve_data

FILES = [(name, writer) for name, writers in WRITERS.items() for writer in writers]
NEED_NO_FILES = [d.name for d in DATASETS if d.kind != "files"]


def check_contract(p: Prepared) -> None:
    """The layout, ids within cardinalities, unknown ids only outside what train teaches, hidden labels hidden."""
    assert {f.name for f in p.root.iterdir()} == {"visible", "hidden", "prepared.json", "vocabularies.parquet"}
    assert not (p.visible / "test.labels.npy").exists()
    assert not [f for f in p.visible.iterdir() if "groups" in f.name]
    cardinality = np.array([f.cardinality for f in p.schema.categorical])
    for split in SPLITS:
        rows = load_split(p.visible, split)
        assert len(rows) == p.sizes[split] > 0
        assert rows.ids.dtype == np.int32 and rows.ids.shape == (len(rows), len(p.schema.categorical))
        shown = np.delete(rows.ids, p.schema.item_columns[0], axis=1) if p.schema.scores_items else rows.ids
        assert (shown >= 1).all() and (rows.ids < cardinality).all()
        assert rows.numeric.dtype == np.float32 and np.isfinite(rows.numeric).all()
        for i, v in enumerate(p.schema.vectors):
            values, held = rows.tables[v.name].values, rows.vector_rows[:, i]
            assert values.shape[1] == v.width and torch.isfinite(values).all() and (held < len(values)).all()
            assert set(values[:, -1].unique().tolist()) <= {0.0, 1.0} and (values[values[:, -1] == 0] == 0).all()
            ids = rows.ids[:, p.schema.index_of(v.of)]
            assert ((held == ids) | (ids == 1)).all(), "what train teaches has the row of its id"
        for s in p.schema.sequences:
            past = rows.history[s.name]
            assert past.shape == (len(rows), s.length) and past.dtype == np.int32
            assert (past >= 0).all() and (past < p.schema.cardinality_of(s)).all()
            assert (np.diff((past != 0).astype(int), axis=1) >= 0).all(), "padding is on the left"
        if split != "train":
            groups = p.groups(split)
            assert groups is None or groups.shape == (len(rows),)
        {"labels": check_labels, "items": check_answers, "actions": check_decisions}[p.schema.predicts](p, split, rows)
    check_vocabularies(p)
    if p.schema.predicts != "items":
        check_given_tasks(p)
    known = pl.read_parquet(p.root / "vocabularies.parquet").drop_nulls()
    beyond = {v.name for v in p.schema.vectors}
    assert {f.name for f in p.schema.categorical} == set(known["field"]) - beyond, "a field holds nothing but nulls"


def check_labels(p: Prepared, split: str, rows: ArrayRows) -> None:
    if split != "train":
        labels = p.hidden_labels(split)
        assert labels.shape == (len(rows), len(p.schema.tasks))
        assert split == "test" or np.array_equal(labels, rows.labels, equal_nan=True)


def check_answers(p: Prepared, split: str, rows: ArrayRows) -> None:
    """Answers are items that train teaches and that were not taken before; those of test are hidden."""
    assert rows.labels is None and (rows.answers is None) == (split == "test")
    answers = rows.answers if split == "train" else p.hidden_answers(split)
    check_collection(p)
    assert answers is not None and len(answers) == len(rows) and (answers.counts >= 1).all()
    assert (answers.items >= 2).all() and (answers.items < p.schema.n_items).all()
    if rows.taken is not None:
        for q in range(min(len(rows), 50)):
            both = [set(lists.within(slice(q, q + 1)).items.tolist()) for lists in (answers, rows.taken)]
            assert not both[0] & both[1]


def check_decisions(p: Prepared, split: str, rows: ArrayRows) -> None:
    """One action each, with its propensity; of test all is hidden. Nothing in a row says which action it was."""
    check_labels(p, split, rows)
    check_collection(p)
    assert (rows.labels is None) == (rows.answers is None) == (rows.propensity is None) == (split == "test")
    taken = rows.answers if split == "train" else p.hidden_answers(split)
    propensity = rows.propensity if split == "train" else p.hidden_propensity(split)
    assert taken is not None and propensity is not None
    assert (taken.counts == 1).all() and len(taken) == len(propensity) == len(rows)
    assert (taken.items >= (2 if split == "train" else 1)).all() and (taken.items < p.schema.n_items).all()
    assert propensity.dtype == np.float32 and (propensity > 0).all() and (propensity <= 1).all()
    of_ids, of_numeric = p.schema.item_columns
    assert (rows.ids[:, of_ids] == 0).all() and (rows.numeric[:, of_numeric] == 0).all()


def check_collection(p: Prepared) -> None:
    met = load_collection(p.visible)
    assert met is not None and len(met.items) == p.schema.n_items
    assert (met.items.ids[:, p.schema.item_columns[0]] >= 1)[2:].all()


def check_vocabularies(p: Prepared) -> None:
    """Every id beyond unknown was seen in train, so that nothing was learned from other splits."""
    train, met = load_split(p.visible, "train"), load_collection(p.visible)
    for c, field in enumerate(p.schema.categorical):
        from_items = [] if met is None else [np.unique(met.items.ids[:, c].numpy())]
        from_histories = [np.unique(train.history[s.name]) for s in p.schema.sequences if s.of == field.name]
        seen = np.unique(np.concatenate([np.unique(train.ids[:, c]), *from_histories, *from_items]))
        assert set(range(2, field.cardinality)) <= set(seen.tolist()), field.name


def check_given_tasks(p: Prepared) -> None:
    names = [t.name for t in p.schema.tasks]
    for t, task in enumerate(p.schema.tasks):
        if task.given:
            labels = p.hidden_labels("test")
            before = labels[:, names.index(task.given)]
            assert (labels[before == 0, t] == 0).all()


@pytest.mark.parametrize(("name", "write"), FILES, ids=lambda v: v if isinstance(v, str) else v.__name__)
def test_official_files_become_prepared_data(name: str, write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    raw = tmp_path / "official" / next(d.folder or d.name for d in DATASETS if d.name == name)
    raw.mkdir(parents=True)
    write(raw)
    made = resolve_data(name, tmp_path / "data", raw=tmp_path / "official")
    assert not made.reused and not made.synthetic and made.licence
    check_contract(made)
    again = resolve_data(f"{name}={raw}", tmp_path / "data")
    assert again.reused and again.data_hash == made.data_hash and again.root == made.root
    elsewhere = resolve_data(f"{name}={raw}", tmp_path / "other")
    assert not elsewhere.reused and elsewhere.data_hash == made.data_hash


def decoded(p: Prepared, split: str) -> pl.DataFrame:
    """The categorical columns of a split as text again."""
    known, ids = pl.read_parquet(p.root / "vocabularies.parquet"), load_split(p.visible, split).ids
    values = {f: dict(known.filter(pl.col("field") == f).select("id", "value").iter_rows()) for f in known["field"].unique()}
    return pl.DataFrame({f.name: [values[f.name].get(i) for i in ids[:, c]] for c, f in enumerate(p.schema.categorical)})


def test_movielens_rows_are_joined_and_labelled(tmp_path: Path) -> None:
    for name, write in (("movielens-1m", WRITERS["movielens-1m"][0]), ("movielens-100k", WRITERS["movielens-100k"][0])):
        raw = tmp_path / name
        raw.mkdir()
        write(raw)
        made = resolve_data(f"{name}={raw}", tmp_path / "data")
        file, separator = (raw / "ratings.dat", "::") if name == "movielens-1m" else (raw / "u.data", "\t")
        rating = {tuple(x[:2]): int(x[2]) for x in (line.split(separator) for line in file.read_text().splitlines())}
        rows, labels = decoded(made, "test"), made.hidden_labels("test")[:, 0]
        for row, label in zip(rows.iter_rows(named=True), labels, strict=True):
            item, user = int(row["item_id"]), int(row["user_id"])
            assert label == (rating[row["user_id"], row["item_id"]] >= 4)
            assert row["release_year"] == str(1980 + item % 9 if name == "movielens-1m" else 1990 + item % 5)
            assert row["gender"] == "MF"[user % 2]
            if name == "movielens-1m":
                assert row["genres"] == ("Drama", "Drama|War")[item % 2]
            else:
                first = ("Action", "Adventure", "Animation", "Children's")[item % 4]
                assert row["genres"] == f"{first}|Drama"


def test_kuairand_joins_users_and_videos(tmp_path: Path) -> None:
    WRITERS["kuairand"][0](tmp_path)
    made = resolve_data(f"kuairand={tmp_path}", tmp_path / "out")
    rows = decoded(made, "train")
    assert (rows["author_id"].cast(pl.Int64) == rows["video_id"].cast(pl.Int64) % 5).all()
    assert (rows["register_days_range"].cast(pl.Int64) == rows["user_id"].cast(pl.Int64) % 4).all()
    assert sum(made.sizes.values()) == 900 and made.schema.scenario == "tab"


def test_next_item_rows_are_events_and_things_never_done(tmp_path: Path) -> None:
    WRITERS["taobao-behavior"][0](tmp_path)
    made = resolve_data(f"taobao-behavior={tmp_path}", tmp_path / "out")
    lines = [line.split(",") for line in (tmp_path / "UserBehavior.csv").read_text().splitlines()]
    done = {(u, i) for u, i, _, behavior, _ in lines if behavior == "pv"}
    last = {}
    for u, _, _, behavior, at in lines:
        if behavior == "pv":
            last[u] = max(last.get(u, 0), int(at))
    rows, labels = decoded(made, "train"), load_split(made.visible, "train").labels
    assert labels is not None
    for row, label in zip(rows.iter_rows(named=True), labels[:, 0], strict=True):
        assert ((row["user_id"], row["item_id"]) in done) == (label == 1)
    views = {u: sum(1 for user, *_ in done if user == u) for u in last}
    assert made.sizes["test"] == 2 * sum(n >= 3 for n in views.values())


@pytest.mark.parametrize("name", NEED_NO_FILES)
def test_what_needs_no_files_is_ready(name: str, tmp_path: Path) -> None:
    made = resolve_data(name, tmp_path / "data")
    check_contract(made)
    assert made.synthetic == name.startswith("synthetic-")
    assert resolve_data(name, tmp_path / "data").reused


def test_every_data_set_is_covered_here() -> None:
    assert {d.name for d in DATASETS} == set(WRITERS) | set(NEED_NO_FILES)


@pytest.mark.parametrize("data_set", [d for d in DATASETS if d.kind == "files"], ids=lambda d: d.name)
def test_missing_files_are_said_in_one_sentence(data_set, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError) as caught:
        resolve_data(f"{data_set.name}={tmp_path}", tmp_path / "data")
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    assert data_set.name.partition("-")[0] in str(caught.value)


def test_the_list_says_what_is_ready_and_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "raw" / "criteo").mkdir(parents=True)
    WRITERS["criteo"][0](tmp_path / "raw" / "criteo")
    lines = {k.name: k for k in known_data_sets(tmp_path)}
    assert lines["census-income"].state == "ready" and all(
        lines[f"synthetic-{what}"].state == "ready" for what in ("clicks", "learners")
    )
    assert lines["criteo"].state.startswith("files in")
    assert "ratings.dat" in lines["movielens-1m"].state and "download" in lines["movielens-1m"].state
    assert "download" not in lines["avazu"].state
    assert all(k.licence and k.description for k in lines.values())


def test_the_packaged_licence_is_attributed() -> None:
    folder = Path(__file__).parents[3] / "sandboxes/kit/datasets/packaged"
    text = (folder / "ATTRIBUTION.md").read_text(encoding="utf-8")
    packaged = [f for f in folder.iterdir() if f.suffix != ".md"]
    assert packaged and all(f.name in text for f in packaged) and "CC BY 4.0" in text
    assert sum(f.stat().st_size for f in packaged) < 10_000_000


REAL = {
    "movielens-1m": ("data/movielens-1m", 1_000_209),
    "movielens-100k": ("data/movielens-100k", 100_000),
    "frappe": ("data/frappe", 86_582),
    "criteo": ("data/criteo-8k", 8_000),
    "avazu": ("data/avazu-10k", 9_999),
    "amazon": ("data/amazon-video-seq", 2 * 287_107),
    "amazon-next": ("data/amazon-video-seq", 287_107),
    "movielens-100k-next": ("data/movielens-100k", 0),
    "douban": ("data/douban-sample", 3_000),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str, tmp_path: Path) -> None:
    place, rows = REAL[name]
    made = resolve_data(f"{name}={need_shared(place)}", tmp_path)
    check_contract(made)
    if made.schema.predicts == "items":  # a query for each user with more than two events
        assert made.sizes["valid"] and 0.95 < made.sizes["test"] / made.sizes["valid"] < 1.05
    else:
        assert sum(made.sizes.values()) == rows


def test_census_income_is_the_whole_test_part(tmp_path: Path) -> None:
    made = resolve_data("census-income", tmp_path)
    labels = np.concatenate([load_split(made.visible, s).labels for s in ("train", "valid")] + [made.hidden_labels("test")])
    assert labels.sum(0).tolist() == [6186, 43143] and len(labels) == 99_762
    content = json.loads((made.root / "prepared.json").read_text(encoding="utf-8"))
    assert content["data_hash"] == made.data_hash
    known = pl.read_parquet(made.root / "vocabularies.parquet")
    assert set(known["field"].unique()) == {f.name for f in made.schema.categorical}
