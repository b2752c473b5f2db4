"""The tables of ports and needs are complete, and wire what they should."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from planted_decisions import SCHEMAS as ACTIONS
from planted_items import SCHEMAS as ITEMS
from random_rows import CATEGORIES_ONLY, NUMBERS_ONLY, OUTCOMES, PLAIN, RICH, TWO_TASKS

from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.layers import CARDS
from sandboxes.kit.needs import NEEDS, Described, NeedName, in_words, offered
from sandboxes.kit.ports import JOINTS, SLOTS, VALUES, Placement, Ports, Slot, Value

TABLE = TableSpec(
    "t",
    tasks=(Label("click"), Label("buy", given="click", arrives="bought_at")),
    categorical=(Categorical("item"), Categorical("scene")),
    numeric=(Numeric("price"),),
    sequences=(Sequence("clicked", "item", column="seen"),),
    scenario="scene",
    time="at",
    split=Split(by="time"),
)


@pytest.mark.parametrize(
    ("names", "table"), [(Value, VALUES), (Slot, SLOTS), (Placement, JOINTS), (NeedName, NEEDS)], ids=lambda v: ""
)
def test_every_name_has_a_row(names: object, table: dict[str, object]) -> None:
    assert sorted(get_args(names)) == sorted(table)


def test_every_value_that_is_taken_is_the_datas_or_some_blocks() -> None:
    """What no block gives and the data does not hold, every model has."""
    of_the_model = {"batch", "model", "embedding", "fields", "flat", "representation", "logits", "predictor"}
    given = {c.ports.gives for c in CARDS} | {v for v, kind in VALUES.items() if kind.needs}
    for ports in (*(place.ports for place in SLOTS.values()), *(c.ports for c in CARDS)):
        assert set(ports.takes) <= of_the_model | given


OF_CLICKS: set[NeedName] = set(NEEDS) - {"outcomes", "items", "answers", "actions", "user", "vectors"}


def test_a_block_refines_what_it_also_takes() -> None:
    refining = {slot for slot, place in SLOTS.items() if place.ports.refines}
    assert refining == {"feature", "scenario", "head"}
    assert {slot for slot, place in SLOTS.items() if place.ports.per_sequence} == {"history"}


def test_placement_and_takes_specify_an_interactions_ports() -> None:
    card = next(c for c in CARDS if c.name == "fm")
    assert card.ports == Ports(("fields",), "logits")
    assert replace(card, placement="input", takes=("flat",)).ports.refines
    assert str(replace(card, placement="parallel", takes=("batch", "fields")).ports) == (
        "(batch, fields (B, F, D)) -> vector (B, K)"
    )


@pytest.mark.parametrize(
    ("data", "has"),
    [
        (RICH, OF_CLICKS),
        (TABLE, OF_CLICKS),
        (OUTCOMES, {"labels", "several_fields", "category_pairs", "numeric", "history", "target_item", "outcomes"}),
        (ITEMS["history"], {"category_pairs", "history", "target_item", "items", "answers"}),
        (ITEMS["user"], {"category_pairs", "user", "items", "answers"}),
        (ACTIONS["user"], {"category_pairs", "user", "items", "actions"}),
        (PLAIN, {"several_fields", "labels", "category_pairs", "numeric"}),
        (NUMBERS_ONLY, {"several_fields", "labels", "numeric"}),
        (CATEGORIES_ONLY, {"several_fields", "labels", "category_pairs"}),
        (TWO_TASKS, {"several_fields", "labels", "category_pairs", "numeric", "several_tasks"}),
        (
            replace(TABLE, sequences=(), numeric=(), scenario=None),
            {"labels", "several_fields", "category_pairs", "several_tasks", "entire_space", "delays", "time"},
        ),
    ],
    ids=[
        "rich",
        "table",
        "outcomes",
        "items",
        "items of users",
        "decisions",
        "plain",
        "numbers",
        "categories",
        "two tasks",
        "bare table",
    ],
)
def test_what_data_offers(data: Described, has: set[NeedName]) -> None:
    assert offered(data) == has


def test_each_thing_is_named_once() -> None:
    assert in_words(("history", "several_fields", "target_item", "numeric")) == ("behaviour histories", "numeric fields")
