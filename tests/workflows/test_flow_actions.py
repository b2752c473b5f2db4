"""A reproduction where the data holds logged decisions, from the paper to the verdict, and the winner served on raw rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_flow import reproduced, served

from sandboxes.kit.datasets.synthetic_decisions import SyntheticDecisions, generate
from workflows.driver import Ended
from workflows.exit_codes import ExitCode

TABLE = """
name = "small-decisions"
files = "log.csv"
user = "user"
time = "time"
target_item = "action"
predicts = "actions"
propensity = "probability"

[[categorical]]
name = "user"
side = "user"

[[categorical]]
name = "segment"
side = "user"

[[categorical]]
name = "hour"

[[categorical]]
name = "action"
side = "item"

[[categorical]]
name = "kind"
side = "item"

[[sequence]]
name = "rewarded"
of = "action"
length = 6
where = "reward"

[[task]]
name = "reward"

[split]
by = "time"
"""
ABSTRACT = """# Choosing actions by past behavior

## Abstract

Click-through rate prediction for web shops must respect the order of what a user did. We propose a ranking model of behavior
sequences.
"""
SMALL = SyntheticDecisions(decisions=3_000, users=200, actions=6)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ended(home: Path) -> Ended:
    return reproduced(home, ABSTRACT, generate(SMALL).table, TABLE, ("best_fixed_action", "direct_method"))


def test_it_comes_to_a_verdict_in_the_words_of_policies(ended: Ended) -> None:
    assert (ended.summary.status, ended.code) == ("done", ExitCode.DONE), ended.summary.reason
    assert ended.summary.verdict in ("better", "tie", "worse")
    report = (ended.folder.root / "report.md").read_text()
    for said in ("Value as logged", "Effective sample size", "decisions", "best_fixed_action", "direct_method"):
        assert said in report
    assert "Its actions and rewards never entered a sandbox" in report
    assert "Log loss" not in report and "Calibration" not in report and "nDCG" not in report


def test_the_candidate_is_a_policy(ended: Ended) -> None:
    code = (ended.folder.root / "model.py").read_text()
    assert "self.output = ItemScores" in code and "GRUHistory" in code and "FactorizationMachine" not in code


def test_the_winner_gives_probabilities_of_actions_to_raw_rows(ended: Ended, home: Path) -> None:
    rows = {
        "user": ["1", "2", "nobody"],
        "segment": ["3", "1", "9"],
        "hour": ["0", "1", "2"],
        "rewarded": [["4", "1"], ["2"], []],
    }
    got = served(home).predict(pl.DataFrame(rows).to_pandas())
    assert sorted(got.columns) == [str(action) for action in range(SMALL.actions)]
    assert np.allclose(got.to_numpy().sum(1), 1, atol=1e-5) and (got.to_numpy() >= 0).all()
