"""Changes of a description: what each comes to, what it may not touch, and that no change moves a row between splits."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shop_features import table
from small_shop import SPEC

from agents.autofeature.changes import Add, Change, Drop, Hash, changed, derivation, faults_of, identity, pinned, roles_of
from agents.autofeature.space import FeatureSpace
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Split
from sandboxes.kit.features.bins import Bins
from sandboxes.kit.features.cross import Cross
from sandboxes.kit.features.histories import HistoryMeasure
from sandboxes.kit.features.statistics import Share

BINS = Bins("price_bins", "price", "equal_frequency", 4)
CROSS = Add(name="a", gives="text", derived=(BINS, Cross("a", ("item", "price_bins"))), min_frequency=2)
SHARE = Add(name="s", gives="number", derived=(Share("s", ("shop id",)),))


def test_added_fields_are_there() -> None:
    spec = changed(SPEC, (CROSS, SHARE, Add(name="seen", gives="number", column="seen")))
    assert [c.name for c in spec.categorical][-1] == "a" and spec.categorical[-1].min_frequency == 2
    assert [n.name for n in spec.numeric][-2:] == ["s", "seen"]
    assert [d.name for d in spec.derived] == ["price_bins", "a", "s"]
    assert "seen" in spec.columns


def test_a_dropped_field_takes_along_what_nobody_else_needs() -> None:
    spec = changed(SPEC, (CROSS, SHARE, Drop(name="a")))
    assert [d.name for d in spec.derived] == ["s"]
    kept = changed(SPEC, (CROSS, Add(name="price_bins", gives="text", derived=(BINS,)), Drop(name="a")))
    assert [d.name for d in kept.derived] == ["price_bins"]


def test_a_dropped_history_takes_along_its_measures() -> None:
    measure = Add(name="n", gives="number", derived=(HistoryMeasure("n", "clicked", "length"),))
    spec = changed(SPEC, (measure, Drop(name="clicked")))
    assert not spec.derived and "n" not in [n.name for n in spec.numeric] and "clicked" not in [s.name for s in spec.sequences]


def test_hashing_replaces_the_vocabulary() -> None:
    spec = changed(SPEC, (Hash(name="member", buckets=7),))
    field = next(c for c in spec.categorical if c.name == "member")
    assert (field.hash_buckets, field.min_frequency) == (7, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Drop(name="colour"), "no field 'colour'"),
        (Drop(name="item"), "what the sequence clicked is of"),
        (Hash(name="item", buckets=5), "single values"),
        (Hash(name="price", buckets=5), "no categorical field"),
        (Add(name="price", gives="number", column="seen"), "already"),
        (Add(name="x", gives="text"), "neither"),
        (Add(name="x", gives="text", column="seen", derived=(Cross("x", ("item", "member")),)), "neither"),
        (Add(name="x", gives="text", derived=(Cross("y", ("item", "member")),)), "neither"),
    ],
)
def test_what_makes_no_sense(change: Change, said: str) -> None:
    assert said in "; ".join(faults_of(SPEC, change))
    assert said in "; ".join(FeatureSpace(SPEC).faults((change,)))


def test_the_last_field_stays() -> None:
    spec = replace(SPEC, categorical=SPEC.categorical[2:3], numeric=(), sequences=())
    assert list(faults_of(spec, Drop(name="member"))) == ["member is the only field"]


def test_one_name_is_one_derivation() -> None:
    other = Add(name="b", gives="text", derived=(replace(BINS, bins=9), Cross("b", ("member", "price_bins"))))
    assert "another derived column" in "; ".join(FeatureSpace(SPEC).faults((CROSS, other)))


def test_what_leaks_is_refused_however_it_is_used() -> None:
    space = FeatureSpace(SPEC, (("paid", "it comes after the click"),))
    raw = Add(name="paid", gives="number", column="paid")
    crossed = Add(name="x", gives="text", derived=(Cross("x", ("item", "paid")),))
    for change in (raw, crossed):
        assert space.faults((change,)) == ["paid is refused: it comes after the click"]
    assert space.faults(()) == ["nothing is changed"]
    held = FeatureSpace(SPEC, held=frozenset(SPEC.columns))
    assert held.faults((raw,)) == ["the table has no column 'paid'"] and not held.faults((SHARE,))


def test_roles() -> None:
    spec = replace(SPEC, target_item="item", scenario="shop")
    assert roles_of(spec, "shop") == ["the scenario", "what the sequence visited is of"]
    assert roles_of(spec, "member") == []


def test_drawn_decisions_are_legal_and_differ() -> None:
    space, chance = FeatureSpace(SPEC, (("size", "a reason"),)), random.Random(1)
    drawn = [space.sample(chance) for _ in range(200)]
    assert not any(space.faults(d) for d in drawn)
    assert {c.kind for d in drawn for c in d} == {"add", "drop", "hash", "share"}
    assert {x.how for d in drawn for c in d if c.kind == "add" for x in c.derived} == {"bins", "cross", "share", "rate"}


def test_in_words_and_by_identity() -> None:
    assert CROSS.in_words == "add a: cross of item and price_bins, where price_bins is bins of price by equal frequency"
    assert derivation(Add(name="x", gives="number", column="seen")) == "the column seen"
    assert identity(CROSS) == identity(CROSS.model_copy()) != identity(SHARE)


@pytest.mark.parametrize("split", [Split(), Split("time"), Split("given", column="part"), Split("random", key=("item",))])
def test_no_change_moves_a_row_between_splits(split: Split, tmp_path: Path) -> None:
    rows = table(600).with_columns(part=np.where(np.arange(600) % 5 < 3, "train", "test"))  # valid is taken from train
    base = pinned(replace(SPEC, split=split))
    plain = prepare(Source(replace(SPEC, split=split), lambda: rows, "plain"), tmp_path)
    for spec in (base, changed(base, (CROSS, Drop(name="size"), Drop(name="visited"), SHARE))):
        made = prepare(Source(spec, lambda: rows, "rows"), tmp_path)
        assert made.sizes == plain.sizes
        for part in ("valid", "test"):
            assert np.array_equal(made.hidden_labels(part), plain.hidden_labels(part), equal_nan=True)
            assert np.array_equal(
                np.load(made.visible / f"{part}.ids.npy")[:, 0], np.load(plain.visible / f"{part}.ids.npy")[:, 0]
            )
