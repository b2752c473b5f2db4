"""A small shop's log with every kind of column, prepared, and its test rows as the shop itself would send them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sandboxes.kit import job
from sandboxes.kit.data import Prepared
from sandboxes.kit.data.arrays import load_split
from sandboxes.kit.data.encoders import Encoders
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec

MODEL = '''
from __future__ import annotations

from torch import Tensor, nn

from sandboxes.kit import Batch, Schema
from sandboxes.kit.layers import DNN, FeatureEmbedding


class Model(nn.Module):
    """A small deep model over all fields and histories."""

    def __init__(self, schema: Schema, *, embedding_dim: int = 8, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = FeatureEmbedding(schema, embedding_dim)
        self.deep = DNN((schema.n_fields + len(schema.sequences)) * embedding_dim, (16,), dropout)
        self.output = nn.Linear(16, len(schema.tasks))

    def forward(self, batch: Batch) -> Tensor:
        return self.output(self.deep(self.embedding.with_histories(batch).flatten(1)))  # (B, T)
'''

SPEC = TableSpec(
    "small-shop",
    tasks=(Label("click"), Label("buy", given="click")),
    categorical=(
        Categorical("item", min_frequency=2, side="item"),
        Categorical("shop", column="shop id"),
        Categorical("member"),
        Categorical("size"),
    ),
    numeric=(Numeric("price", transform="log1p"), Numeric("age"), Numeric("raw", transform="none")),
    sequences=(
        Sequence("clicked", "item", length=5, where="click"),
        Sequence("visited", "shop", length=4, column="shops"),
    ),
    user="user",
    time="at",
    split=Split(by="time", train=0.6, valid=0.2, test=0.2),
)


def log(rows: int = 600) -> pl.DataFrame:
    """In order of time. Whole numbers, fractions, truth values, text, nulls and new values late in the log are all there."""
    rng = np.random.default_rng(3)
    item = rng.integers(0, 20, rows) + np.where(np.arange(rows) > 0.9 * rows, 10, 0)
    shop, price = rng.integers(1, 9, rows), rng.lognormal(size=rows)
    click = rng.random(rows) < np.where((item + shop) % 2 == 0, 0.8, 0.2)
    return pl.DataFrame(
        {
            "item": [f"i{i}" for i in item],
            "shop id": [None if i % 11 == 0 else int(s) for i, s in enumerate(shop)],
            "member": rng.random(rows) < 0.5,
            "size": rng.integers(1, 5, rows) / 2,
            "price": [None if i % 13 == 0 else float(p) for i, p in enumerate(price)],
            "age": rng.integers(18, 80, rows),
            "raw": rng.normal(size=rows),
            "shops": ["|".join(map(str, rng.integers(1, 9, n))) or None for n in rng.integers(0, 7, rows)],
            "user": [f"u{i}" for i in rng.integers(0, 30, rows)],
            "at": np.arange(rows),
            "click": click.astype(int),
            "buy": (click & (rng.random(rows) < 0.5)).astype(int),
        }
    )


def prepared(folder: Path) -> Prepared:
    return prepare(Source(SPEC, log, "small-shop 1"), folder)


def test_rows(made: Prepared) -> pl.DataFrame:
    """The raw test rows; the history built from the log as lists of items, which the shop would look up itself."""
    vocabulary = Encoders.of(made).vocabularies["item"].values.to_list()
    ids = load_split(made.visible, "test").history["clicked"]
    lists = [["never seen" if i == 1 else vocabulary[i - 2] for i in row if i > 0] for row in ids]
    raw = log().tail(made.sizes["test"])
    return raw.with_columns(pl.Series("clicked", lists, dtype=pl.List(pl.String))).drop("click", "buy", "user", "at")


test_rows.__test__ = False  # type: ignore[attr-defined] # a helper, whatever its name says


def run_job(
    monkeypatch: pytest.MonkeyPatch, place: Path, visible: Path, model: str = MODEL, *, reference: str = "", **asked: object
) -> int:
    """Runs a job in this process as a sandbox would, in the folder `place`; returns its exit code."""
    (place / "out").mkdir(parents=True)
    (place / "model.py").write_text(model)
    said = {
        "action": "train",
        "model": {"reference": reference} if reference else {"file": "model.py"},
        "hyper": {"embedding_dim": 4},
        "config": {"seed": 1, "learning_rate": 1e-2, "batch_size": 64, "max_epochs": 6, "patience": 6},
        "predict": ["valid", "test"],
        "keep_weights": True,
    }
    (place / "job.json").write_text(json.dumps(said | asked))
    monkeypatch.chdir(place)
    monkeypatch.setenv("AGENTICRS_DATA", str(visible))
    return job.main()
