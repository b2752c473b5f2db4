"""Any record that can be made comes back as it went in: out of the log, out of an export, and under any facet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_processes import cheap
from memory_records import ONE_OF_EACH

from memory.errors import RecordRefused
from memory.log import RecordLog
from memory.narrowing import Only
from memory.records import READ, AnyRecord, RewardRecord
from memory.transfer import exported, imported
from memory.versions import read_record

KINDS = get_args(get_args(AnyRecord)[0])
TEXT = st.text(max_size=30)
times = st.datetimes(timezones=st.one_of(st.none(), st.timezones())).map(lambda t: t.isoformat())
names = st.text(min_size=1, max_size=200)


def records(kind: type) -> st.SearchStrategy:
    values = st.dictionaries(TEXT, st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT)
    fixed = {"id": names, "created": times, "decision": values, "instead_of": values}
    given_ = {name: fixed.get(name, _of(field.annotation)) for name, field in kind.model_fields.items() if name != "kind"}
    return st.builds(kind, **given_)


def _of(annotation: object) -> st.SearchStrategy:
    return st.from_type(annotation) if annotation is not str else TEXT


any_record = st.one_of(*map(records, KINDS))


def same(one: object, other: object) -> bool:
    """NaN is the same as itself here."""
    return repr(one) == repr(other)


@given(any_record)
@settings(max_examples=300, deadline=None)
def test_through_json(record: AnyRecord) -> None:
    body = record.model_dump_json()
    assert same(read_record(body, 2), record) and same(READ.validate_python(record.model_dump()), record)
    json.loads(body, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@given(st.lists(any_record, min_size=1, max_size=6, unique_by=lambda r: r.id))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_through_the_log_and_an_export(tmp_path_factory: pytest.TempPathFactory, written: list[AnyRecord]) -> None:
    folder = tmp_path_factory.mktemp("log")
    log, other = RecordLog(folder / "a.sqlite"), RecordLog(folder / "b.sqlite")
    assert log.append(written) == len(written) and log.append(written) == 0
    assert other.append(imported(exported(log)), merging=True) == len(written)
    for each in (log, other):
        for record in written:
            assert same(each.rows([record.id])[record.id].read(), record)
            assert all(record.id in {row.id for row in each.children(parent)} for parent in record.parents)
            only = Only(record.dataset, record.task, record.agent, record.outcome, record.topic, since=record.created)
            assert record.id in {row.id for row in each.listing(record.kind, only)}
    assert list(exported(log)) == list(exported(other))
    log.close()
    other.close()


def test_a_number_that_is_none_comes_back(tmp_path: Path) -> None:
    outcome = ONE_OF_EACH[6].model_copy(update={"metrics": {"a": float("nan"), "b": float("inf"), "c": float("-inf"), "d": -0.0}})
    cheap(tmp_path).add(outcome)
    assert same(cheap(tmp_path).get("o1"), outcome)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_decision_holds_numbers_that_are_some(number: float) -> None:
    with pytest.raises(ValueError, match="cannot be told from a word"):
        RewardRecord(id="w", measure="m", accepted=False, reason="", decision={"rate": number})


@given(st.binary(max_size=200) | TEXT.map(str.encode), st.integers(-3, 5))
@settings(max_examples=200, deadline=None)
def test_what_is_no_record_is_refused_in_a_sentence(body: bytes, version: int) -> None:
    with pytest.raises(RecordRefused) as said:
        read_record(body, version)
    assert "\n" not in str(said.value) and len(str(said.value)) < 400
