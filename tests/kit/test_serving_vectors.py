"""A served model takes the vectors of its data along, and scores items that came out after its training by them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_shop import run_job

from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_posters import SyntheticPosters, generate, synthetic_source
from sandboxes.kit.serving import Served, keep

SMALL = SyntheticPosters(users=50, items=200, rows=3_000)


def test_raw_rows_are_scored_as_the_job_scored_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = prepare(synthetic_source(SMALL), tmp_path / "data")
    place = tmp_path / "job"
    config = {"seed": 1, "learning_rate": 1e-2, "batch_size": 256, "max_epochs": 2}
    assert run_job(monkeypatch, place, made.visible, reference="fm", config=config) == 0
    keep(tmp_path / "served", made.root, place / "out" / "weights.safetensors", {"embedding_dim": 4}, "fm")
    n = made.sizes["test"]
    log = generate(SMALL).table
    raw, wanted = log.tail(n).drop("click", "time"), np.load(place / "out" / "test.npy")
    new = ~raw["item"].is_in(log.head(made.sizes["train"])["item"].implode())
    shutil.rmtree(made.root)
    served = Served.open(tmp_path / "served")
    alone = served.predict(raw.with_columns(pl.lit(None).alias("clicked_items")))
    assert 0.2 < new.mean() < 0.9 and len(np.unique(alone[new.to_numpy()])) > 10
    short = raw.with_columns(pl.Series("clicked_items", _histories(log, n), dtype=pl.List(pl.Int64)))
    np.testing.assert_allclose(served.predict(short), wanted, atol=1e-6)


def _histories(log: pl.DataFrame, n: int) -> list[list[int]]:
    """What each user of the last n rows had clicked before, in train rows and those before the row's own split."""
    users, items, clicks = (log[name].to_list() for name in ("user", "item", "click"))
    known = int(0.9 * len(users))
    past: dict[int, list[int]] = {}
    for user, item, click in zip(users[:known], items[:known], clicks[:known], strict=True):
        if click:
            past.setdefault(user, []).append(item)
    return [past.get(user, [])[-10:] for user in users[-n:]]
