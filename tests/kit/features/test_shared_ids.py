"""Fields that share their ids: one vocabulary, one vector for one value, in preparation, in models, and in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from small_shop import SPEC, log, run_job, test_rows

from agents.autofeature.changes import ShareIds, pinned
from agents.autofeature.propose import Known, propose
from agents.autofeature.space import FeatureSpace
from sandboxes.kit import Batch, Schema, layers
from sandboxes.kit.data import DataError, Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, TableSpec
from sandboxes.kit.layers.table_rows import TableRows, own_offsets, table_offsets
from sandboxes.kit.models import models_of
from sandboxes.kit.schema import CategoricalField
from sandboxes.kit.serving import Served, keep
from sandboxes.kit.training.model import build, loss_of, stages_of

SCHEMA = Schema((CategoricalField("item", 7), CategoricalField("hour", 5), CategoricalField("last", 7, shares="item")))


def shop() -> pl.DataFrame:
    """With the item that was seen before each row's own, of which some are not sold any more."""
    table = log()
    return table.with_columns(pl.col("item").shift(1).fill_null("gone").alias("last_item"))


SHARED = replace(SPEC, categorical=(*SPEC.categorical, Categorical("last_item", shares="item")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(Source(SHARED, shop, "sharing 1"), tmp_path_factory.mktemp("shop"))


def test_one_value_has_one_id_in_both(made: Prepared) -> None:
    train = np.load(made.visible / "train.ids.npy")
    item, last = (made.schema.index_of(name) for name in ("item", "last_item"))
    assert made.schema.categorical[last].shares == "item"
    assert made.schema.categorical[last].cardinality == made.schema.categorical[item].cardinality
    assert np.array_equal(train[1:, last], train[:-1, item]) and train[0, last] == 1


def test_new_rows_have_the_same_ids(made: Prepared) -> None:
    rows = test_rows(made).with_columns(shop().tail(made.sizes["test"])["last_item"])
    assert Encoders.of(made).encode(rows).ids.equal(load_split(made.visible, "test").batch(slice(None)).ids)


def test_a_served_model_knows(made: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_job(monkeypatch, tmp_path / "job", made.visible) == 0
    keep(
        tmp_path / "served", made.root, tmp_path / "job/out/weights.safetensors", {"embedding_dim": 4}, tmp_path / "job/model.py"
    )
    rows = test_rows(made).with_columns(shop().tail(made.sizes["test"])["last_item"])
    assert np.array_equal(Served.open(tmp_path / "served").predict(rows), np.load(tmp_path / "job/out/test.npy"))


def test_embeddings_have_one_vector_and_first_order_weights_two() -> None:
    assert table_offsets(SCHEMA).tolist() == [0, 7, 0] and TableRows(SCHEMA).n_rows == 12
    assert own_offsets(SCHEMA).tolist() == [0, 7, 12]
    embedding, batch = layers.FeatureEmbedding(SCHEMA, 4), Batch(torch.tensor([[3, 2, 3]]), torch.zeros(1, 0))
    vectors = embedding(batch)[0]
    assert torch.equal(vectors[0], vectors[2]) and not torch.equal(vectors[0], vectors[1])
    linear = layers.LinearTerm(SCHEMA, 1)
    assert linear.table is not None and linear.table.weight.shape[0] == 19


@pytest.mark.parametrize("name", sorted(models_of("labels")))
def test_every_model_trains_on_it(name: str, made: Prepared) -> None:
    train = load_split(made.visible, "train").batch(slice(0, 64))
    try:
        model = build(models_of("labels")[name], made.schema, {"embedding_dim": 4}, seed=0)
    except ValueError as error:
        pytest.skip(f"needs what this data does not have: {error}")
    loss = loss_of(model, stages_of(model)[-1], train)
    loss.backward()
    assert torch.isfinite(loss)


def test_the_schema_says_it_and_otherwise_is_as_it_was() -> None:
    assert Schema.from_json(SCHEMA.to_json()) == SCHEMA
    assert "shares" not in Schema((CategoricalField("a", 3),)).to_json()
    with pytest.raises(ValueError, match="not as many"):
        Schema((CategoricalField("a", 3), CategoricalField("b", 4, shares="a")))


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (Categorical("x", "member", shares="nothing"), "no categorical field"),
        (Categorical("x", "member", shares="x"), "no categorical field"),
        (Categorical("x", "member", shares="item", min_frequency=2), "leave hash_buckets and min_frequency"),
        (Categorical("x", "member", shares="item", hash_buckets=2), "leave hash_buckets and min_frequency"),
    ],
)
def test_what_is_refused(field: Categorical, said: str) -> None:
    with pytest.raises(DataError, match=said):
        replace(SPEC, categorical=(*SPEC.categorical, field))
    with pytest.raises(DataError, match="let the sequence be of 'item'"):
        replace(SPEC, categorical=(SPEC.categorical[0], replace(SPEC.categorical[1], shares="item"), *SPEC.categorical[2:]))


def test_it_is_proposed_where_values_are_the_same_and_can_be_decided(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(60)]
    table = pl.DataFrame(
        {"word": rng.choice(words, 4000), "other": rng.choice(words[:50], 4000), "a": rng.integers(50, size=4000)}
        | {"b": rng.integers(60, size=4000), "last_b": rng.integers(40, size=4000), "click": rng.integers(2, size=4000)}
    )
    names = ("word", "other", "a", "b", "last_b")
    spec = pinned(TableSpec("t", SPEC.tasks[:1], tuple(map(Categorical, names))))
    prepared = prepare(Source(spec, lambda: table, "sharing 2"), tmp_path)
    known = Known(spec, FeatureSpace(spec), {}, prepared)
    shared = {(p.change.name, p.change.owner) for p, _ in propose(known) if isinstance(p.change, ShareIds)}
    assert shared == {("other", "word"), ("last_b", "b")}
    after = ShareIds(name="other", owner="word").to(spec)
    assert prepare(Source(after, lambda: table, "sharing 2"), tmp_path).schema.categorical[1].shares == "word"
    for wrong in (
        ShareIds(name="word", owner="word"),
        ShareIds(name="word", owner="nothing"),
        ShareIds(name="nothing", owner="word"),
    ):
        assert FeatureSpace(spec).faults((wrong,))
    assert FeatureSpace(after).faults((ShareIds(name="word", owner="a"),))  # others share its ids
