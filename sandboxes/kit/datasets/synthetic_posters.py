"""Synthetic posters: clicks on items that come out one after another, each with a poster of which a vector is known from its
first day. No result on it says anything about real users.

Planted: how an item looks, which its poster's vector shows, mixed with what nobody cares about, is liked by all in one direction
and by each user in another; beside that each item has an appeal that only clicks show. Half of the rows are of items that are
new then: late in the log, what they get is known by their vectors alone. Notation: U users, I items, n rows, H hidden width,
W width of a vector.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.source import GivenVectors, Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec, Vectors
from sandboxes.kit.datasets.generated import generated_data_set, generated_source

Floats = NDArray[np.float64]

HIDDEN, NUISANCE, NOISE = 4, 4, 0.3
NEWEST = 0.5  # of the rows are of the newest items
FRESH = 40  # newest items at any time


@dataclass(frozen=True)
class SyntheticPosters:
    """The generator's parameters. Strengths are standard deviations of a row's logit; 0 plants nothing of the kind."""

    users: int = 1_000
    items: int = 1_000
    rows: int = 40_000
    width: int = 24
    look: float = 1.2
    taste: float = 1.0
    appeal: float = 0.6
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """The log (n rows, in order of time), the true chance (n,) of every row's click, and the vector (I, W) of every poster."""

    table: pl.DataFrame
    chances: Floats
    posters: Floats


def spec(config: SyntheticPosters) -> TableSpec:
    """The log's description."""
    return TableSpec(
        name="synthetic-posters",
        tasks=(Label("click"),),
        categorical=(
            Categorical("user_id", "user", side="user"),
            Categorical("item_id", "item", side="item"),
            Categorical("hour"),
        ),
        sequences=(Sequence("clicked_items", of="item_id", length=10, where="click"),),
        user="user",
        time="time",
        target_item="item_id",
        split=Split(by="time"),
        vectors=(Vectors("poster", of="item_id"),),
    )


def generate(config: SyntheticPosters) -> Generated:
    """The log and its truth; the same for the same parameters."""
    random = np.random.default_rng(config.seed)
    looks = random.normal(size=(config.items, HIDDEN))  # (I, H)
    tastes = random.normal(size=(config.users, HIDDEN)) / np.sqrt(HIDDEN)  # (U, H)
    liked = random.normal(size=HIDDEN)
    appeal = config.appeal * random.normal(size=config.items)
    users = random.integers(config.users, size=config.rows)
    out = FRESH + np.arange(config.rows) * (config.items - FRESH) // config.rows  # items that are out at each row
    newest = random.random(config.rows) < NEWEST
    items = np.where(newest, out - 1 - random.integers(FRESH, size=config.rows), random.integers(0, out))
    seen = looks[items]  # (n, H)
    logit = config.look * seen @ (liked / np.linalg.norm(liked)) + config.taste * (seen * tastes[users]).sum(1) + appeal[items]
    chances = 1 / (1 + np.exp(0.5 - logit))
    shown = np.concatenate([looks, random.normal(size=(config.items, NUISANCE))], axis=1) @ random.normal(
        size=(HIDDEN + NUISANCE, config.width)
    )
    posters = 0.1 * (shown + NOISE * random.normal(size=shown.shape)) + random.normal(size=config.width)  # (I, W)
    table = pl.DataFrame(
        {
            "user": users,
            "item": items,
            "hour": random.integers(24, size=config.rows),
            "time": np.arange(config.rows),
            "click": (random.random(config.rows) < chances).astype(np.int8),
        }
    )
    return Generated(table, chances, posters)


def synthetic_source(config: SyntheticPosters) -> Source:
    """The log as a source, marked synthetic."""
    return generated_source(spec(config), asdict(config), lambda: generate(config).table, {"poster": lambda: posters(config)})


def posters(config: SyntheticPosters) -> GivenVectors:
    """The vectors of all items, old and new."""
    made = generate(config).posters.astype(np.float32)
    return GivenVectors(pl.Series("item", np.arange(config.items)), made)


SYNTHETIC_POSTERS = generated_data_set(
    synthetic_source(SyntheticPosters()),
    "SYNTHETIC clicks of 1,000 users on 1,000 items that come out over time; vectors of the items' posters, histories",
)
