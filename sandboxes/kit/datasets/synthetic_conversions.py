"""Synthetic conversions: clicks whose conversions become known only later, generated with known truth. No result on it says
anything about real users.

Planted: chances of conversion from main effects and one pair of fields; delays that are exponential, with a mean that depends on
the category and the device. Training happens after `days` times the share of train: by then the late ones of its conversions have
not arrived, the latest clicks' above all. Labels of valid and test are the final ones. Notation: n rows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.datasets.generated import generated_data_set, generated_source

Floats = NDArray[np.float64]

SEGMENTS, CATEGORIES, DEVICES, HOUR = 8, 10, 3, 1 / 24


@dataclass(frozen=True)
class SyntheticConversions:
    """The generator's parameters. `mean_delay` is a geometric mean, in days; `spread` the standard deviation of the logarithm of
    means around it, 0 where all conversions are alike."""

    rows: int = 60_000
    days: int = 30
    mean_delay: float = 4.0
    spread: float = 0.7
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """The log (n rows, in order of time) and the truth behind it: chances of conversion, and mean delays in days, each (n,)."""

    table: pl.DataFrame
    probabilities: Floats
    mean_delays: Floats


def spec() -> TableSpec:
    """The log's description."""
    return TableSpec(
        name="synthetic-conversions",
        tasks=(Label("conversion", arrives="conversion_time"),),
        categorical=(
            Categorical("segment", side="user"),
            Categorical("category", side="item"),
            Categorical("device"),
            Categorical("hour"),
        ),
        numeric=(Numeric("price", side="item"),),
        time="time",
        split=Split(by="time"),
    )


def generate(config: SyntheticConversions) -> Generated:
    """The log and its truth; the same for the same parameters."""
    random = np.random.default_rng(config.seed)
    taste = random.normal(0.0, 0.8, (SEGMENTS, CATEGORIES))
    slow = config.spread / np.sqrt(2) * random.normal(size=CATEGORIES), config.spread / np.sqrt(2) * random.normal(size=DEVICES)
    n = config.rows
    time = np.sort(random.random(n)) * config.days
    segment, category, device = (random.integers(many, size=n) for many in (SEGMENTS, CATEGORIES, DEVICES))
    price = random.normal(size=n)
    probabilities = 1 / (1 + np.exp(1.1 - taste[segment, category] + 0.4 * price - 0.3 * (device == 1)))
    mean_delays = config.mean_delay * np.exp(slow[0][category] + slow[1][device])
    converted = random.random(n) < probabilities
    arrives = pl.Series(time + random.exponential(mean_delays))
    table = pl.DataFrame(
        {
            "time": time,
            "segment": segment,
            "category": category,
            "device": device,
            "hour": (time % 1 // HOUR).astype(np.int64),
            "price": price,
            "conversion": converted.astype(np.int8),
            "conversion_time": arrives.zip_with(pl.Series(converted), pl.Series([None] * n, dtype=pl.Float64)),
        }
    )
    return Generated(table, probabilities, mean_delays)


def synthetic_source(config: SyntheticConversions) -> Source:
    """The log as a source, marked synthetic."""
    return generated_source(spec(), asdict(config), lambda: generate(config).table)


SYNTHETIC_CONVERSIONS = generated_data_set(
    synthetic_source(SyntheticConversions()),
    "SYNTHETIC clicks, 60,000 rows, 1 task: conversion, which becomes known days later; delays that depend on the row",
)
