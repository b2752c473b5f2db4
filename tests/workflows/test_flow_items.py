"""A reproduction where the data asks for items, from the paper to the verdict, and the winner served on raw rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from small_flow import reproduced, served

from sandboxes.kit.datasets.synthetic_visits import SyntheticVisits, generate
from workflows.driver import Ended
from workflows.exit_codes import ExitCode

TABLE = """
name = "small-visits"
files = "log.csv"
user = "user"
time = "time"
target_item = "item"
predicts = "items"

[[categorical]]
name = "user"
side = "user"

[[categorical]]
name = "age"
side = "user"

[[categorical]]
name = "item"
side = "item"

[[categorical]]
name = "category"
side = "item"

[[sequence]]
name = "visited"
of = "item"
length = 8

[[task]]
name = "visit"
column = "item"
present = true

[split]
by = "last"
"""
ABSTRACT = """# Orders of visits

## Abstract

Click-through rate prediction for web shops must respect the order of visits. We propose a ranking model of behavior sequences.
"""
SMALL = SyntheticVisits(users=400, items=60, categories=5, fewest=5, most=12)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ended(home: Path) -> Ended:
    return reproduced(home, ABSTRACT, generate(SMALL).table, TABLE, ("popularity", "two_towers"))


def test_it_comes_to_a_verdict_in_the_words_of_ranked_lists(ended: Ended) -> None:
    assert (ended.summary.status, ended.code) == ("done", ExitCode.DONE), ended.summary.reason
    assert ended.summary.verdict in ("better", "tie", "worse")
    report = (ended.folder.root / "report.md").read_text()
    for said in ("nDCG@20", "recall@20", "queries", "popularity", "two_towers"):
        assert said in report
    assert "Log loss" not in report and "Calibration" not in report


def test_what_speaks_of_labels_is_said_to_be_left_out(ended: Ended) -> None:
    code = (ended.folder.root / "model.py").read_text()
    assert "self.output = ItemScores" in code and "GRUHistory" in code and "FactorizationMachine" not in code
    assert "the data asks which item, and of that it says nothing" in code


def test_the_winner_recommends_items_to_raw_rows(ended: Ended, home: Path) -> None:
    rows = pl.DataFrame({"user": ["1", "2", "nobody"], "age": ["3", "1", "9"], "visited": [["4", "9"], ["7"], []]}).to_pandas()
    got = served(home).predict(rows)
    assert list(got.columns) == [f"item_{place}" for place in range(1, 21)]
    known = {str(item) for item in range(SMALL.items)}
    assert all(len(set(row)) == 20 and set(row) <= known for row in got.to_numpy().tolist())
