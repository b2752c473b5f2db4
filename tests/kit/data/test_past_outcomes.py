"""Histories of outcomes: what came of past rows, aligned with what those were about, and never of rows with hidden labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sandboxes.kit.data import DataError
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.schema import NEGATIVE_ID, NOT_OBSERVED_ID, POSITIVE_ID, EventLog

SPEC = TableSpec(
    "exercises",
    tasks=(Label("right", unobserved="?"), Label("helped")),
    categorical=(Categorical("question"),),
    sequences=(
        Sequence("asked", "question", length=4),
        Sequence("answers", "right", length=4),
        Sequence("help", "helped", length=4),
        Sequence("solved", "question", length=4, where="right"),
        Sequence("before", "right", length=3, column="before"),
    ),
    user="learner",
    time="at",
    split=Split(by="last"),
)
IDS = {"1": POSITIVE_ID, "0": NEGATIVE_ID, "?": NOT_OBSERVED_ID, "": NOT_OBSERVED_ID}


def log(rows: int = 400) -> pl.DataFrame:
    """In order of time; every sixth outcome is not observed."""
    rng = np.random.default_rng(0)
    right = rng.integers(0, 2, rows).astype(str)
    before = [rng.choice(["0", "1", "?", ""], n).tolist() for n in rng.integers(0, 5, rows)]
    return pl.DataFrame(
        {
            "learner": rng.integers(0, 30, rows),
            "question": rng.integers(0, 9, rows),
            "at": np.arange(rows),
            "right": np.where(np.arange(rows) % 6 == 0, "?", right),
            "helped": rng.integers(0, 2, rows),
            "before": ["|".join(b) for b in before],
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exercises")


def test_past_outcomes_are_those_of_the_learners_earlier_rows(folder: Path) -> None:
    made, raw = prepare(Source(SPEC, log, "1"), folder), log()
    place: dict[str, int] = dict.fromkeys(("train", "valid", "test"), 0)
    splits = {s: load_split(made.visible, s) for s in place}
    size, left = raw["learner"].value_counts(), {}
    left = dict(size.iter_rows())
    done: dict[int, list[tuple[int, int]]] = {}
    for row in raw.iter_rows(named=True):
        learner = row["learner"]
        left[learner] -= 1
        split = {0: "test", 1: "valid"}.get(left[learner], "train")
        seen, at = splits[split], place[split]
        place[split] += 1
        wanted = done.get(learner, [])[-4:]
        padding = [0] * (4 - len(wanted))
        assert seen.history["answers"][at].tolist() == padding + [answer for answer, _ in wanted]
        assert seen.history["help"][at].tolist() == padding + [help for _, help in wanted]
        assert ((seen.history["asked"][at] > 0) == (seen.history["answers"][at] > 0)).all()
        given = [IDS[text] for text in row["before"].split("|")][-3:] if row["before"] else []
        assert seen.history["before"][at].tolist() == [0] * (3 - len(given)) + given
        done.setdefault(learner, []).append((IDS[row["right"]], IDS[str(row["helped"])]))
    assert made.sizes == place


def test_hidden_outcomes_never_appear(folder: Path) -> None:
    """Turning over all labels of test rows changes no visible history; those of valid rows are seen by test rows only."""
    source = Source(SPEC, log, "1")
    raw = log()
    left = raw.select(pl.len().over("learner") - 1 - pl.int_range(pl.len()).over("learner")).to_series()

    def turned(split: int) -> pl.DataFrame:
        other = raw["right"].replace({"0": "1", "1": "0"})
        return raw.with_columns(pl.when(left == split).then(other).otherwise(raw["right"]).alias("right"))

    made = prepare(source, folder)
    for split, changed in ((0, set[str]()), (1, {"test"})):
        again = prepare(Source(SPEC, lambda split=split: turned(split), f"turned {split}"), folder)
        for where in ("train", "valid", "test"):
            first, second = (load_split(p.visible, where).history for p in (made, again))
            same = all(np.array_equal(first[name], second[name]) for name in first)
            assert same == (where not in changed)


def test_the_schema_says_what_is_aligned(folder: Path) -> None:
    schema = prepare(Source(SPEC, log, "1"), folder).schema
    asked, answers, help, solved, before = schema.sequences
    assert [s.records for s in schema.sequences] == ["values", "outcomes", "outcomes", "values", "outcomes"]
    assert [s.events for s in schema.sequences] == ["all rows"] * 3 + ["rows with right", ""]
    assert schema.event_logs == (EventLog((asked,), (answers, help)), EventLog((solved,)), EventLog((before,)))
    assert schema.outcomes_along("asked") == (answers, help) and schema.outcomes_along("answers") == ()


def test_new_rows_are_encoded_as_the_prepared_ones(folder: Path) -> None:
    made = prepare(Source(SPEC, log, "1"), folder)
    seen = load_split(made.visible, "valid").batch(slice(None))
    said = {POSITIVE_ID: "1", NEGATIVE_ID: "0", NOT_OBSERVED_ID: "?"}
    raw = log()
    left = pl.len().over("learner") - 1 - pl.int_range(pl.len()).over("learner")
    rows = raw.filter(raw.select(left).to_series() == 1).drop("right", "helped")
    lists = [[said[i] for i in row if i] for row in seen.history["answers"].tolist()]
    truths = [[None if i == NOT_OBSERVED_ID else i == POSITIVE_ID for i in row if i] for row in seen.history["help"].tolist()]
    rows = rows.with_columns(
        pl.Series("answers", lists, dtype=pl.List(pl.String)), pl.Series("help", truths, dtype=pl.List(pl.Boolean))
    )
    encoded = Encoders.of(made).encode(rows)
    for name in ("answers", "help", "before"):
        assert encoded.history[name].equal(seen.history[name])
    assert not encoded.history["asked"].any()


def test_a_field_comes_before_a_task_of_its_name() -> None:
    spec = replace(SPEC, categorical=(Categorical("question"), Categorical("right", column="guess")))
    assert spec.records(Sequence("answers", "right")) == "values"
    assert spec.records(Sequence("help", "helped")) == "outcomes"


def test_what_is_neither_field_nor_task_is_named() -> None:
    with pytest.raises(DataError, match="'wrong', which is no categorical field and no task"):
        replace(SPEC, sequences=(Sequence("answers", "wrong"),))
