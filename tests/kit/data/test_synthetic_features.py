"""The generator: what is said to be useful, noise or a leak is that, and its truth is the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.datasets.synthetic_features import (
    Generated,
    SyntheticFeatures,
    generate,
    spec,
    synthetic_source,
    truth,
    with_leaks,
)
from sandboxes.kit.metrics import auc

CONFIG = SyntheticFeatures()
SMALL = replace(CONFIG, rows=30_000)
HIGH = 0.04  # standard errors of an AUC over half of the rows are near .004


@pytest.fixture(scope="module")
def log() -> Generated:
    return generate(CONFIG)


def held_out(table: pl.DataFrame, columns: Sequence[str | pl.Expr], seed: int = 0) -> float:
    """The AUC of smoothed click rates of one half's combinations of columns, in the other half."""
    codes = table.select(pl.struct(*columns).rank("dense").alias("code"))["code"].to_numpy() - 1
    click = table["click"].to_numpy().astype(float)
    fit = np.random.default_rng(seed).random(len(click)) < 0.5
    n = codes.max() + 1
    hits, seen = np.bincount(codes[fit], click[fit], n), np.bincount(codes[fit], minlength=n)
    return auc(click[~fit], ((hits + 5 * click[fit].mean()) / (seen + 5))[codes[~fit]])


def in_tenths(name: str) -> pl.Expr:
    return pl.col(name).rank("ordinal").mul(10).floordiv(pl.len() + 1).alias(name)


def test_the_truth_is_calibrated(log: Generated) -> None:
    click, p = log.table["click"].to_numpy().astype(float), log.probabilities
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1)):
        own = (p >= low) & (p < high)
        assert own.sum() > 3000
        assert abs(click[own].mean() - p[own].mean()) < 4 * np.sqrt(p[own].mean() / own.sum())


def test_the_best_auc_is_that_of_the_truth(log: Generated) -> None:
    click, logit = log.table["click"].to_numpy(), np.log(log.probabilities / (1 - log.probabilities))
    assert 0.8 < log.best_auc < 0.9
    assert auc(click, logit + 0.3 * np.random.default_rng(0).normal(size=len(logit))) < log.best_auc


def test_every_column_has_its_part(log: Generated) -> None:
    known = truth(CONFIG)
    fields = {f.name for f in spec(CONFIG).features}
    assert fields == set(known.useful) | set(known.noise)
    assert {f.name for f in with_leaks(spec(CONFIG)).features} == fields | set(known.leaks)
    assert set(log.table.columns) == fields | set(known.leaks) | {"timestamp", "click"}
    assert {column for made_of in known.planted.values() for column in made_of} <= set(log.table.columns)


def test_useful_columns_say_something_alone_and_noise_does_not(log: Generated) -> None:
    known, numeric = truth(CONFIG), {f.name for f in spec(CONFIG).numeric}
    for name in (*known.alone, *known.noise):
        found = held_out(log.table, [in_tenths(name) if name in numeric else name])
        assert found > 0.53 if name in known.alone else abs(found - 0.5) < 0.02, (name, found)


@pytest.mark.parametrize("seed", range(3))
def test_the_cross_shows_in_pairs_only(seed: int) -> None:
    table = generate(replace(CONFIG, seed=seed)).table
    for side in ("segment", "slot"):
        assert abs(held_out(table, [side]) - 0.5) < 0.015
        assert 20 <= table[side].n_unique() <= 40
    assert held_out(table, ["segment", "slot"]) > 0.62
    assert held_out(generate(replace(CONFIG, cross=0, seed=seed)).table, ["segment", "slot"]) < 0.52


def test_price_shows_in_bins_and_not_in_a_line(log: Generated) -> None:
    assert abs(auc(log.table["click"].to_numpy(), log.table["price"].to_numpy()) - 0.5) < 0.02
    assert held_out(log.table, [in_tenths("price")]) > 0.57
    assert held_out(generate(replace(CONFIG, price=0)).table, [in_tenths("price")]) < 0.52


def test_the_hour_shows_in_the_timestamp(log: Generated) -> None:
    hour = pl.from_epoch("timestamp").dt.hour().alias("hour")
    assert held_out(log.table, [hour]) > 0.56
    assert held_out(log.table, [in_tenths("timestamp")]) < 0.52
    assert held_out(generate(replace(CONFIG, hour=0)).table, [hour]) < 0.52
    assert log.table["timestamp"].is_sorted()


def test_popular_items_are_better_and_most_are_rare(log: Generated) -> None:
    def by_count(table: pl.DataFrame) -> float:
        return auc(table["click"].to_numpy(), table.select(pl.len().over("item_id").alias("n"))["n"].to_numpy())

    assert by_count(log.table) > 0.54
    assert abs(by_count(generate(replace(CONFIG, quality=0, plain=0)).table) - 0.5) < 0.02
    assert log.table.group_by("item_id").len()["len"].median() < 15


def test_leaks_tell_the_label_and_are_not_described(log: Generated) -> None:
    click = log.table["click"].to_numpy()
    assert 0.96 < auc(click, log.table["dwell_s"].to_numpy()) < 0.98
    assert 0.975 < auc(click, log.table["request_id"].to_numpy()) < 0.995
    assert held_out(log.table, ["request_id"]) > 0.9
    paid = log.table.filter(pl.col("paid_at").is_not_null())
    assert (paid["paid_at"] > paid["timestamp"]).all()
    assert 0.05 < len(paid) / len(log.table) < 0.25 and paid["click"].mean() > 0.9  # type: ignore[operator]
    assert not set(truth(CONFIG).leaks) & set(spec(CONFIG).columns)


def test_both_descriptions_can_be_prepared(tmp_path: Path) -> None:
    plain = prepare(synthetic_source(SMALL), tmp_path)
    leaking = prepare(synthetic_source(SMALL, leaks=True), tmp_path)
    assert plain.sizes == {"train": 24_000, "valid": 3_000, "test": 3_000}
    assert not plain.warnings and any("request_id" in w for w in leaking.warnings)
    assert plain.synthetic and "SYNTHETIC" in plain.provenance
    assert plain.data_hash != leaking.data_hash and plain.root != leaking.root


def test_seeds_decide(log: Generated) -> None:
    assert generate(CONFIG).table.equals(log.table)
    assert not generate(replace(CONFIG, seed=1)).table.equals(log.table)


@pytest.mark.parametrize("wrong", [{"users": 25}, {"rows": 0}, {"items": 0}, {"days": 0}])
def test_wrong_parameters_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="multiple of levels"):
        replace(CONFIG, **wrong)


def test_the_number_of_noise_columns_is_a_parameter() -> None:
    config = replace(SMALL, noise=0, rows=500)
    assert truth(config).noise == ("noise_heavy",) and "noise_heavy" in generate(config).table.columns
    assert len(truth(replace(config, noise=3)).noise) == 10
