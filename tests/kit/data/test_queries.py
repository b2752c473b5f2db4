"""Prepared queries: what is asked, what is right, what may not be asked, and that nothing in a query says the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from sandboxes.kit.collection import load_collection
from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.ranking import Answers
from sandboxes.kit.schema import Schema

SPEC = TableSpec(
    "tiny-shop",
    tasks=(Label("bought", at_least=1),),
    categorical=(
        Categorical("user", side="user"),
        Categorical("item", side="item"),
        Categorical("shelf", side="item"),
        Categorical("tab"),
    ),
    numeric=(Numeric("price", transform="none", side="item"),),
    sequences=(Sequence("past", of="item", length=3),),
    user="user",
    time="at",
    target_item="item",
    split=Split(by="given", column="split"),
    predicts="items",
)
#            user item tab at bought split
LOG = [
    ("ann", "a", "home", 1, 1, "train"),
    ("ann", "b", "home", 2, 1, "train"),
    ("ann", "c", "home", 3, 0, "train"),  # looked at, not bought: no event
    ("bob", "b", "home", 1, 1, "train"),
    ("bob", "c", "sale", 2, 1, "train"),
    ("bob", "d", "sale", 3, 1, "train"),
    ("ann", "c", "home", 4, 1, "valid"),
    ("ann", "d", "home", 4, 1, "valid"),  # the same situation: one query with two answers
    ("bob", "a", "sale", 5, 1, "valid"),
    ("bob", "b", "sale", 5, 1, "valid"),  # bought before: not asked for
    ("ann", "new", "home", 6, 1, "test"),  # train does not teach it
    ("ann", "c", "home", 7, 1, "test"),  # bought in valid
    ("cyn", "a", "home", 7, 1, "test"),  # an unknown user
    ("cyn", "b", "sale", 7, 1, "test"),
    ("cyn", "c", "home", 8, 0, "test"),
]


def table(log: list[tuple[object, ...]] = LOG) -> pl.DataFrame:
    frame = pl.DataFrame(log, schema=["user", "item", "tab", "at", "bought", "split"], orient="row")
    prices = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "new": 5.0}
    return frame.with_columns(
        (pl.col("item") + "-shelf").alias("shelf"), pl.col("item").replace_strict(prices, return_dtype=pl.Float64).alias("price")
    )


@pytest.fixture
def made(tmp_path: Path) -> Prepared:
    return prepare(Source(SPEC, table, "tiny 1"), tmp_path)


def names(p: Prepared, field: str, ids: np.ndarray) -> list[str]:
    known = Encoders.of(p).vocabularies[field].values.to_list()
    return [{0: "", 1: "?"}.get(int(i), known[int(i) - 2] if i > 1 else "") for i in ids]


def asked(p: Prepared, split: str) -> list[tuple[str, str, list[str]]]:
    """The user, the tab and the history of each query."""
    rows = load_split(p.visible, split)
    users, tabs = (names(p, f, rows.ids[:, p.schema.index_of(f)]) for f in ("user", "tab"))
    return [(u, t, [i for i in names(p, "item", h) if i]) for u, t, h in zip(users, tabs, rows.history["past"], strict=True)]


def items(p: Prepared, lists: Answers) -> list[set[str]]:
    return [set(names(p, "item", lists.within(slice(q, q + 1)).items)) for q in range(len(lists))]


def test_events_train_and_situations_are_asked_about(made: Prepared) -> None:
    assert made.sizes == {"train": 5, "valid": 2, "test": 2}
    train = load_split(made.visible, "train")
    answer = train.batch(slice(0, 5)).answer
    assert answer is not None and names(made, "item", answer.numpy()) == ["a", "b", "b", "c", "d"]
    assert asked(made, "train")[1] == ("ann", "home", ["a"])
    assert asked(made, "valid") == [("ann", "home", ["a", "b"]), ("bob", "sale", ["b", "c", "d"])]
    assert items(made, made.hidden_answers("valid")) == [{"c", "d"}, {"a"}]
    assert asked(made, "test") == [("?", "home", []), ("?", "sale", [])]
    assert items(made, made.hidden_answers("test")) == [{"a"}, {"b"}]
    assert made.facts["not asked for"]["test"] == {"of unknown items": 0.25, "taken before": 0.25}


def test_what_was_taken_is_known(made: Prepared) -> None:
    valid, test = load_split(made.visible, "valid"), load_split(made.visible, "test")
    assert valid.taken is not None and items(made, valid.taken) == [{"a", "b"}, {"b", "c", "d"}]  # type: ignore[arg-type]
    assert test.taken is not None and test.taken.counts.tolist() == [0, 0]
    groups = made.groups("valid")
    assert groups is not None and len(set(groups.tolist())) == 2


def test_no_query_says_its_answer(made: Prepared) -> None:
    of_ids, of_numeric = made.schema.item_columns
    assert [made.schema.categorical[i].name for i in of_ids] == ["item", "shelf"]
    for split in ("train", "valid", "test"):
        rows = load_split(made.visible, split)
        assert (rows.ids[:, of_ids] == 0).all() and (rows.numeric[:, of_numeric] == 0).all() and rows.labels is None
    hidden_from_sandboxes = {f.name for f in made.visible.iterdir()}
    assert not {n for n in hidden_from_sandboxes if n.startswith("test.answers") or "labels" in n or "groups" in n}
    assert load_split(made.visible, "test").answers is None


def test_the_collection_knows_every_item(made: Prepared) -> None:
    met = load_collection(made.visible)
    assert met is not None and len(met.items) == made.schema.n_items == 6
    item, shelf = (names(made, f, met.items.ids[:, made.schema.index_of(f)].numpy()) for f in ("item", "shelf"))
    assert item[2:] == ["a", "b", "c", "d"] or sorted(item[2:]) == ["a", "b", "c", "d"]
    assert shelf[1] == "?" and shelf[2:] == [f"{i}-shelf" for i in item[2:]]
    prices = dict(zip(item[2:], met.items.numeric[2:, 0].tolist(), strict=True))
    assert prices == {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    assert (met.items.ids[:, made.schema.index_of("user")] == 0).all()
    counts = dict(zip(item, met.counts.tolist(), strict=True))
    assert counts["b"] == 2 and counts["a"] == 1 and met.events.shape == (5, 2)
    assert torch.equal(met.events[:, 0], torch.from_numpy(load_split(made.visible, "train").ids[:, 0].astype(np.int64)))


def test_a_lazy_table_gives_the_same(made: Prepared, tmp_path: Path) -> None:
    again = prepare(Source(SPEC, lambda: table().lazy(), "tiny lazy"), tmp_path / "lazy")
    assert again.data_hash == made.data_hash


def test_without_users_nothing_counts_as_taken(tmp_path: Path) -> None:
    from dataclasses import replace

    spec = replace(SPEC, user=None, time=None, sequences=())
    made = prepare(Source(spec, table, "tiny 2"), tmp_path)
    assert load_split(made.visible, "valid").taken is None and made.groups("valid") is None
    assert made.schema.user is None
    assert items(made, made.hidden_answers("valid")) == [{"c", "d"}, {"a", "b"}]


def test_a_split_without_a_query_is_refused(tmp_path: Path) -> None:
    log = [row for row in LOG if row[5] != "test" or row[1] == "new"]
    with pytest.raises(DataError, match=r"no event of the test split is of an item that train teaches"):
        prepare(Source(SPEC, lambda: table(log), "tiny 3"), tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target_item": None}, "name the categorical field that holds them as target_item"),
        ({"tasks": (Label("bought"), Label("split"))}, "there are 2 tasks; name one"),
        ({"categorical": (Categorical("item", side="item", hash_buckets=9), Categorical("tab"))}, "leave hash_buckets out"),
        ({"categorical": (Categorical("item", side="item"),), "sequences": ()}, "nothing says who asks"),
    ],
)
def test_descriptions_that_cannot_be(change: dict[str, object], said: str) -> None:
    from dataclasses import replace

    with pytest.raises(DataError, match=said):
        replace(SPEC, **({"sequences": (), "user": None, "time": None} | change))


def test_a_schema_that_predicts_items_needs_one(made: Prepared) -> None:
    again = Schema.from_json(made.schema.to_json())
    assert again == made.schema and again.predicts == "items" and again.user == "user"
    with pytest.raises(ValueError, match="needs a target_item"):
        Schema(made.schema.categorical, predicts="items")
