"""Batches keep their rows together; schemas say what they are and come back from JSON as they went."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from planted_rows import SCHEMAS, planted

from sandboxes.kit import Batch, CategoricalField, NumericField, Schema, SequenceField, Task, VectorField
from sandboxes.kit.schema import N_OUTCOMES, POSITIVE_ID, EventLog, Records

NAMES = st.text(min_size=1, max_size=8)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    names = draw(st.lists(NAMES, min_size=1, max_size=7, unique=True))
    cut = draw(st.integers(0, len(names)))
    sides = st.sampled_from(["user", "item", "context"])
    categorical = tuple(CategoricalField(n, draw(st.integers(2, 10**9)), draw(sides)) for n in names[:cut])
    numeric = tuple(NumericField(n, draw(sides)) for n in names[cut:])
    fields = st.sampled_from([c.name for c in categorical]) if categorical else st.none()
    sequences = ()
    if categorical:
        free = [n for n in draw(st.lists(NAMES, max_size=2, unique=True)) if n not in names]
        sequences = tuple(SequenceField(n, draw(fields), draw(st.integers(1, 500)), events=draw(st.text())) for n in free)
    tasks = [Task(n) for n in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))]
    if len(tasks) > 1 and draw(st.booleans()):
        tasks[1] = Task(tasks[1].name, given=tasks[0].name)
    optional = st.none() | fields
    taken = {*names, *(s.name for s in sequences)}
    free = [n for n in draw(st.lists(NAMES, max_size=2, unique=True)) if n not in taken] if categorical else []
    vectors = tuple(VectorField(n, draw(fields), draw(st.integers(2, 2000))) for n in free)
    return Schema(categorical, numeric, sequences, tuple(tasks), draw(optional), draw(optional), vectors=vectors)


@given(schemas())
def test_a_schema_comes_back_from_json(schema: Schema) -> None:
    assert Schema.from_json(schema.to_json()) == schema


def test_a_schema_written_before_outcomes_were_recorded_still_loads() -> None:
    raw = json.loads(SCHEMAS["history"].to_json())
    for sequence in raw["sequences"]:
        del sequence["records"], sequence["events"]
    assert Schema.from_json(json.dumps(raw)) == SCHEMAS["history"]
    assert Schema.from_json(SCHEMAS["outcomes"].to_json()) == SCHEMAS["outcomes"]


def test_aligned_sequences_are_of_one_origin_and_length() -> None:
    def sequence(name: str, length: int, events: str, records: Records = "values") -> SequenceField:
        return SequenceField(name, "label" if records == "outcomes" else "user", length, records, events)

    a, b, c = sequence("a", 5, "all rows"), sequence("b", 5, "all rows"), sequence("c", 6, "all rows")
    free, free_too = sequence("free", 5, ""), sequence("free_too", 5, "")
    results, alone = sequence("results", 5, "all rows", "outcomes"), sequence("alone", 5, "rows with x", "outcomes")
    schema = Schema((CategoricalField("user", 7),), sequences=(a, free, results, c, b, free_too, alone))
    logs = (EventLog((a, b), (results,)), EventLog((free,)), EventLog((c,)), EventLog((free_too,)), EventLog((alone,)))
    assert schema.event_logs == logs
    assert [schema.outcomes_along(s.name) for s in (a, b, c, free, alone)] == [(results,), (results,), (), (), ()]
    assert schema.cardinality_of(a) == 7 and schema.cardinality_of(results) == POSITIVE_ID + 1 == N_OUTCOMES


@given(schemas())
def test_fields_are_counted_and_found(schema: Schema) -> None:
    assert schema.n_fields == len(schema.categorical) + len(schema.numeric) + len(schema.vectors)
    assert sorted([*schema.item_fields, *schema.query_fields]) == list(range(schema.n_fields))
    assert {i for i, side in enumerate(schema.sides) if side == "item"} <= set(schema.item_fields)
    of = [*(f.name for f in schema.categorical), *("" for _ in schema.numeric), *(v.of for v in schema.vectors)]
    for i, name in enumerate(of):
        assert not name or (i in schema.item_fields) == (of.index(name) in schema.item_fields), "vectors go with their field"
    assert [schema.index_of(f.name) for f in schema.categorical] == list(range(len(schema.categorical)))
    for number in schema.numeric:
        with pytest.raises(KeyError):
            schema.index_of(number.name)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"numeric": (NumericField("user"),)}, "must differ: .'user', 'user'"),
        ({"sequences": (SequenceField("seen", "shop", 5),)}, "not a categorical field: .'shop'"),
        ({"sequences": (SequenceField("seen", "user", 5, "outcomes"),)}, "not a task.*'user'"),
        ({"scenario": "age"}, "not a categorical field"),
        ({"target_item": "age"}, "not a categorical field"),
        ({"tasks": ()}, "at least one task"),
        ({"categorical": ()}, "at least one categorical or numeric field"),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(Schema((CategoricalField("user", 5),)), **wrong)


@given(st.lists(st.integers(0, 19), max_size=30))
def test_chosen_rows_stay_whole_and_in_order(rows: list[int]) -> None:
    batch = planted(SCHEMAS["tasks_and_history"], 20).all
    batch.ids[:, 0] = batch.history["seen"][:, -1] = torch.arange(20)
    batch.numeric[:, 0] = batch.labels[:, 0] = torch.arange(20.0)
    part = batch[torch.tensor(rows, dtype=torch.int64)]
    assert len(part) == len(rows)
    assert part.ids[:, 0].tolist() == part.history["seen"][:, -1].tolist() == rows
    assert part.numeric[:, 0].tolist() == part.labels[:, 0].tolist() == [float(r) for r in rows]


def test_a_batch_without_labels_has_none_after_choosing_and_moving() -> None:
    batch = dataclasses.replace(planted(SCHEMAS["history"], 4).all, labels=None)
    for other in (batch[:2], batch.to("cpu")):
        assert other.labels is None and set(other.history) == {"seen"}


def test_moving_keeps_every_value() -> None:
    batch = planted(SCHEMAS["tasks_and_history"], 5).all
    moved: Batch = batch.to("cpu")
    assert moved.ids.equal(batch.ids) and moved.numeric.equal(batch.numeric)
    assert moved.history["seen"].equal(batch.history["seen"])
    assert torch.equal(moved.labels.nan_to_num(-1), batch.labels.nan_to_num(-1))
