"""Prepared decisions: what is kept apart from features in which split, what is refused, and that no context says its action."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sandboxes.kit.collection import load_collection
from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.schema import Schema

SPEC = TableSpec(
    "tiny-decisions",
    tasks=(Label("bought"),),
    categorical=(
        Categorical("user", side="user"),
        Categorical("offer", side="item"),
        Categorical("shelf", side="item"),
        Categorical("tab"),
    ),
    numeric=(Numeric("price", transform="none", side="item"), Numeric("age", transform="none", side="user")),
    sequences=(Sequence("past", of="offer", length=3),),
    user="user",
    time="at",
    target_item="offer",
    split=Split(by="given", column="split"),
    predicts="actions",
    propensity="chance",
)
COLUMNS = ["user", "offer", "tab", "at", "bought", "chance", "split"]
LOG: list[tuple[object, ...]] = [
    ("ann", "a", "home", 1, 1, 0.5, "train"),
    ("ann", "b", "home", 2, 0, 0.25, "train"),
    ("ann", "a", "home", 3, 0, 0.5, "train"),
    ("bob", "c", "home", 1, 1, 0.25, "train"),
    ("bob", "c", "sale", 2, 0, 1.0, "train"),
    ("ann", "c", "home", 4, 1, 0.25, "valid"),
    ("bob", "a", "sale", 5, 0, 0.5, "valid"),
    ("ann", "b", "home", 6, 0, 0.25, "test"),
    ("bob", "new", "home", 7, 1, 0.125, "test"),  # train does not teach it
]


def table(log: list[tuple[object, ...]] = LOG) -> pl.DataFrame:
    frame = pl.DataFrame(log, schema=COLUMNS, orient="row")
    prices = {"a": 1.0, "b": 2.0, "c": 3.0}
    return frame.with_columns(
        (pl.col("offer") + "-shelf").alias("shelf"),
        pl.col("offer").replace_strict(prices, default=9.0, return_dtype=pl.Float64).alias("price"),
        pl.lit(30.0).alias("age"),
    )


def changed(column: str, value: object, row: int = 1) -> list[tuple[object, ...]]:
    at = COLUMNS.index(column)
    return [(*r[:at], value, *r[at + 1 :]) if i == row else r for i, r in enumerate(LOG)]


@pytest.fixture
def made(tmp_path: Path) -> Prepared:
    return prepare(Source(SPEC, table, "decisions 1"), tmp_path)


def names(p: Prepared, field: str, ids: np.ndarray) -> list[str]:
    known = Encoders.of(p).vocabularies[field].values.to_list()  # type: ignore[union-attr]
    return [{0: "", 1: "?"}.get(int(i), known[int(i) - 2] if i > 1 else "") for i in ids]


def test_train_and_valid_show_what_was_done_and_test_shows_contexts(made: Prepared) -> None:
    assert made.sizes == {"train": 5, "valid": 2, "test": 2} and made.schema.predicts == "actions"
    batch = load_split(made.visible, "train").batch(slice(0, 5))
    assert batch.answer is not None and batch.propensity is not None and batch.labels is not None
    assert names(made, "offer", batch.answer.numpy()) == ["a", "b", "a", "c", "c"]
    assert batch.propensity.tolist() == [0.5, 0.25, 0.5, 0.25, 1.0] and batch.labels[:, 0].tolist() == [1, 0, 0, 1, 0]
    picked = load_split(made.visible, "train").batch(np.array([4, 1]))
    assert picked.propensity is not None and picked.propensity.tolist() == [1.0, 0.25] and len(picked[1:]) == 1
    valid = load_split(made.visible, "valid").batch(slice(0, 2))
    assert valid.answer is not None and valid.propensity is not None and names(made, "offer", valid.answer.numpy()) == ["c", "a"]
    test = load_split(made.visible, "test")
    assert test.labels is None and test.answers is None and test.propensity is None
    assert not [f.name for f in made.visible.glob("test.*") if f.name.split(".")[1] not in ("ids", "numeric", "history")]


def test_the_host_alone_knows_the_test_decisions(made: Prepared) -> None:
    assert names(made, "offer", made.hidden_answers("test").items) == ["b", "?"]
    assert made.hidden_propensity("test").tolist() == [0.25, 0.125] and made.hidden_labels("test")[:, 0].tolist() == [0, 1]
    assert names(made, "offer", made.hidden_answers("valid").items) == ["c", "a"]
    groups = made.groups("test")
    assert groups is not None and len(set(groups.tolist())) == 2
    assert made.facts["positives"]["test"] == {"bought": 0.5} and made.facts["unknown"]["test"]["offer"] == 0.5


def test_no_context_says_its_action(made: Prepared) -> None:
    of_ids, of_numeric = made.schema.item_columns
    for split in ("train", "valid", "test"):
        rows = load_split(made.visible, split)
        assert (rows.ids[:, of_ids] == 0).all() and (rows.numeric[:, of_numeric] == 0).all()
        assert (rows.ids[:, made.schema.index_of("user")] > 0).all() and (rows.numeric[:, 1] == 30).all()
    past = load_split(made.visible, "train").history["past"]
    assert [[n for n in names(made, "offer", row) if n] for row in past] == [[], ["a"], ["a", "b"], [], ["c"]]


def test_the_collection_knows_every_action(made: Prepared) -> None:
    met = load_collection(made.visible)
    assert met is not None and len(met.items) == made.schema.n_items == 5
    offers, shelves = (names(made, f, met.items.ids[:, made.schema.index_of(f)].numpy()) for f in ("offer", "shelf"))
    assert shelves[2:] == [f"{o}-shelf" for o in offers[2:]] and sorted(offers[2:]) == ["a", "b", "c"]
    counts = dict(zip(offers, met.counts.tolist(), strict=True))
    assert counts == {"": 0, "?": 0, "a": 2, "b": 1, "c": 2}


def test_a_served_row_needs_no_action(made: Prepared) -> None:
    encoders = Encoders.of(made)
    assert set(encoders.columns) == {"user", "tab", "age"}
    batch = encoders.encode(pl.DataFrame({"user": ["ann"], "tab": ["sale"], "age": [31.0]}))
    assert batch.ids[0, made.schema.index_of("offer")] == 0 and batch.answer is None and batch.propensity is None


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (changed("chance", 0.0), r"1 rows have a propensity outside \(0, 1\] in 'chance', such as 0;"),
        (changed("chance", 1.5), r"outside \(0, 1\] in 'chance', such as 1\.5;"),
        (changed("chance", -0.1), r"such as -0\.1;"),
        (changed("chance", float("inf")), "such as inf;"),
        (changed("chance", 1e-60), "such as 1e-60;"),
        (changed("chance", None), "1 rows have no propensity in 'chance'"),
        (changed("chance", float("nan")), "1 rows have no propensity in 'chance'"),
        (changed("bought", None), "1 rows have no reward 'bought'"),
        (changed("offer", None, row=6), "1 rows do not say which action was taken in 'offer'"),
        (changed("bought", 0, row=8), "the test split has not both positive and negative rows of 'bought'"),
    ],
)
def test_logs_that_cannot_be_learned_from(log: list[tuple[object, ...]], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said) as caught:
        prepare(Source(SPEC, lambda: table(log), "decisions 2"), tmp_path)
    assert "\n" not in str(caught.value)


def test_text_is_no_propensity_but_a_number_as_text_is(made: Prepared, tmp_path: Path) -> None:
    as_text = table().with_columns(pl.col("chance").cast(pl.String))
    again = prepare(Source(SPEC, lambda: as_text, "decisions 3"), tmp_path)
    assert again.hidden_propensity("test").tolist() == [0.25, 0.125]
    wrong = as_text.with_columns(pl.lit("half").alias("chance"))
    with pytest.raises(DataError, match="the propensity column 'chance' holds 'half', which is no number"):
        prepare(Source(SPEC, lambda: wrong, "decisions 4"), tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"propensity": None}, "name the column with the probability of what was chosen as propensity"),
        ({"target_item": None}, "to predict actions, name the categorical field that holds them as target_item"),
        ({"tasks": (Label("bought"), Label("split"))}, "actions are predicted from one reward, and there are 2 tasks"),
        ({"numeric": (Numeric("chance"),)}, "the propensity 'chance' is also a feature"),
        ({"predicts": "labels"}, "of no use unless actions are predicted"),
        (
            {"categorical": (Categorical("offer", side="item", min_frequency=2), Categorical("tab"))},
            "'offer' has a min_frequency, which would make one action of the rare ones",
        ),
        (
            {"categorical": (Categorical("offer", side="item", hash_buckets=9), Categorical("tab"))},
            "cannot be told apart as actions",
        ),
    ],
)
def test_descriptions_that_cannot_be(change: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        replace(SPEC, **({"sequences": (), "user": None, "time": None} | change))  # type: ignore[arg-type]


def drawn(n: int, times: bool, chance: float = 0.25) -> pl.DataFrame:
    """Decisions of few contexts and four actions, evenly taken."""
    random = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "tab": random.integers(2, size=n),
            "offer": random.integers(4, size=n),
            "bought": random.integers(2, size=n),
            "chance": np.full(n, chance),
            "at": np.arange(n) if times else np.zeros(n, dtype=int),
        }
    )


FEW = TableSpec(
    "few",
    tasks=(Label("bought"),),
    categorical=(Categorical("tab"), Categorical("offer", side="item")),
    target_item="offer",
    predicts="actions",
    propensity="chance",
)


def test_decisions_that_are_alike_are_not_split_at_random(tmp_path: Path) -> None:
    """Equal rows would fall together, so that the test would hold all or none of a context's rewards."""
    with pytest.raises(DataError, match="of the decisions are like another one in all columns"):
        prepare(Source(FEW, lambda: drawn(500, True), "few 1"), tmp_path)
    told_apart = replace(FEW, time="at")
    assert sum(prepare(Source(told_apart, lambda: drawn(500, True), "few 2"), tmp_path).sizes.values()) == 500
    by_key = replace(FEW, split=Split(key=("at",)))
    assert sum(prepare(Source(by_key, lambda: drawn(500, True), "few 3"), tmp_path).sizes.values()) == 500


@pytest.mark.parametrize(
    ("chance", "said"), [(0.25, ""), (0.125, "they cannot be those of the actions taken"), (0.5, "never taken in some contexts")]
)
def test_propensities_that_cannot_be_are_suspicious(chance: float, said: str, tmp_path: Path) -> None:
    made = prepare(Source(replace(FEW, time="at"), lambda: drawn(500, True, chance), f"few {chance}"), tmp_path)
    found = [w for w in made.warnings if w.startswith("propensities add up")]
    assert (said in found[0]) if said else not found


def test_a_schema_of_actions_comes_back_and_needs_one(made: Prepared) -> None:
    again = Schema.from_json(made.schema.to_json())
    assert again == made.schema and again.predicts == "actions" and again.scores_items
    with pytest.raises(ValueError, match="predicts actions needs a target_item"):
        Schema(made.schema.categorical, predicts="actions")
