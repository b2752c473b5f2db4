"""A reproduction where the data asks for items, from the paper to the verdict, and the winner served on raw rows."""

from __future__ import annotations

from pathlib import Path

import mlflow
import polars as pl
import pytest

from agents.autotrain.builtin import BuiltinEngine
from sandboxes.kit.datasets.synthetic_visits import SyntheticVisits, generate
from workflows.driver import Ended, begin, go
from workflows.exit_codes import ExitCode
from workflows.request import ReproductionRequest
from workflows.settings import Settings

TABLE = """
name = "small-visits"
files = "visits.csv"
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
PAPER = """# Orders of visits

## Abstract

Click-through rate prediction for web shops must respect the order of visits. We propose a ranking model of behavior sequences.

## Method

A gated recurrent unit runs over the behavior sequence, and its last hidden state represents the user's interest. In parallel, a
factorization machine adds the inner products of all pairs of embeddings to the logit. A multi-layer perceptron takes the
user's interest together with the embeddings of all fields.
"""
SMALL = SyntheticVisits(users=400, items=60, categories=5, fewest=5, most=12)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ended(home: Path) -> Ended:
    generate(SMALL).table.write_csv(home / "visits.csv")
    (home / "visits.toml").write_text(TABLE)
    (home / "paper.md").write_text(PAPER)
    request = ReproductionRequest(
        paper=str(home / "paper.md"),
        data=str(home / "visits.toml"),
        baselines=("popularity", "two_towers"),
        seeds=3,
        trials=1,
        epochs=2,
        sandbox="process",
        ablation=False,
    )
    site = Settings(home=home / "runs", parallel=2, sandbox="process")
    return go(site, begin(site, request), lambda event: None, engine=BuiltinEngine())


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
    mlflow.set_tracking_uri(f"sqlite:///{home / 'runs' / 'mlflow.sqlite'}")
    found = mlflow.search_logged_models(output_format="list")
    assert len(found) == 1
    model = mlflow.pyfunc.load_model(f"models:/{found[0].model_id}")
    rows = pl.DataFrame({"user": ["1", "2", "nobody"], "age": ["3", "1", "9"], "visited": [["4", "9"], ["7"], []]}).to_pandas()
    got = model.predict(rows)
    assert list(got.columns) == [f"item_{place}" for place in range(1, 21)]
    known = {str(item) for item in range(SMALL.items)}
    assert all(len(set(row)) == 20 and set(row) <= known for row in got.to_numpy().tolist())
