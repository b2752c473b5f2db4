"""A small reproduction, from a paper's Markdown and a described table to a verdict, in this process; and what it serves."""

from __future__ import annotations

from pathlib import Path

import mlflow
import polars as pl

from agents.autotrain.builtin import BuiltinEngine
from workflows.driver import Ended, begin, go
from workflows.request import ReproductionRequest
from workflows.settings import Settings

METHOD = """
## Method

A gated recurrent unit runs over the behavior sequence, and its last hidden state represents the user's interest. In parallel, a
factorization machine adds the inner products of all pairs of embeddings to the logit. A multi-layer perceptron takes the
user's interest together with the embeddings of all fields.
"""


def reproduced(home: Path, abstract: str, table: pl.DataFrame, described: str, baselines: tuple[str, ...]) -> Ended:
    """The method under `abstract`, on `table` as the TOML text `described` has it, whose file is log.csv."""
    table.write_csv(home / "log.csv")
    (home / "log.toml").write_text(described)
    (home / "paper.md").write_text(abstract + METHOD)
    request = ReproductionRequest(
        paper=str(home / "paper.md"),
        data=str(home / "log.toml"),
        baselines=baselines,
        seeds=3,
        trials=1,
        epochs=2,
        sandbox="process",
        ablation=False,
    )
    site = Settings(home=home / "runs", parallel=2, sandbox="process")
    return go(site, begin(site, request), lambda event: None, engine=BuiltinEngine())


def served(home: Path) -> mlflow.pyfunc.PyFuncModel:
    """The one model that the run has logged."""
    mlflow.set_tracking_uri(f"sqlite:///{home / 'runs' / 'mlflow.sqlite'}")
    (found,) = mlflow.search_logged_models(output_format="list")
    return mlflow.pyfunc.load_model(f"models:/{found.model_id}")
