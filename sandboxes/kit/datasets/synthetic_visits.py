"""Synthetic visits: which item a user goes to next, from a generated log whose true chances are known. No result on it says
anything about real users.

Planted: tastes (a user's and an item's hidden vectors), popularity, and a walk from category to category: what was visited last
makes some categories likelier next. Nobody visits an item twice. The last visit of each user tests, the one before validates.
Notation: U users, I items, E events, G categories, H hidden width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Sequence, Split, TableSpec
from sandboxes.kit.datasets.generated import generated_data_set, generated_source

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIDDEN, AGES = 6, 5


@dataclass(frozen=True)
class SyntheticVisits:
    """The generator's parameters. Strengths are standard deviations of an item's score; 0 plants nothing of the kind."""

    users: int = 3_000
    items: int = 600
    categories: int = 12
    fewest: int = 8
    most: int = 30
    taste: float = 1.2
    popularity: float = 1.0
    walk: float = 1.5
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """The log (E rows, by user, in order of time), and the true chances (U, I) of each user's last visit."""

    table: pl.DataFrame
    chances: Floats


def spec(config: SyntheticVisits) -> TableSpec:
    """The log's description."""
    return TableSpec(
        name="synthetic-visits",
        tasks=(Label("visit", "item", present=True),),
        categorical=(
            Categorical("user_id", "user", side="user"),
            Categorical("age", side="user"),
            Categorical("item_id", "item", side="item"),
            Categorical("category", side="item"),
        ),
        sequences=(
            Sequence("visited_items", of="item_id", length=20),
            Sequence("visited_categories", of="category", length=20),
        ),
        user="user",
        time="time",
        target_item="item_id",
        split=Split(by="last"),
        predicts="items",
    )


def generate(config: SyntheticVisits) -> Generated:
    """The log and its truth; the same for the same parameters."""
    random = np.random.default_rng(config.seed)
    category = random.integers(config.categories, size=config.items)  # (I,)
    age = random.integers(AGES, size=config.users)  # (U,)
    by_age = random.normal(size=(AGES, HIDDEN))
    tastes = 0.7 * random.normal(size=(config.users, HIDDEN)) + 0.7 * by_age[age]  # (U, H)
    looks = random.normal(size=(config.items, HIDDEN)) / np.sqrt(HIDDEN)  # (I, H)
    still = config.taste * tastes @ looks.T + config.popularity * random.normal(size=config.items)  # (U, I)
    walk = config.walk * random.normal(size=(config.categories, config.categories))  # from row to column
    visits = random.integers(config.fewest, config.most + 1, config.users)  # (U,)
    path, chances = _walked(still, walk, category, visits, random)
    users = np.repeat(np.arange(config.users), visits)
    times = np.concatenate([np.arange(n) for n in visits])
    items = path[users, times]
    table = pl.DataFrame({"user": users, "age": age[users], "item": items, "category": category[items], "time": times})
    return Generated(table, chances)


def _walked(still: Floats, walk: Floats, category: Ints, visits: Ints, random: np.random.Generator) -> tuple[Ints, Floats]:
    """What each user visits in turn (U, most), and the chances (U, I) of their last visit."""
    users = np.arange(len(still))
    path = np.zeros((len(still), int(visits.max())), dtype=np.int64)
    been, last = np.zeros(still.shape, dtype=np.bool_), np.zeros(still.shape)
    for step in range(path.shape[1]):
        scores = still + (walk[category[path[:, step - 1]]][:, category] if step else 0.0)
        scores[been] = -np.inf
        chances = np.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        path[:, step] = (chances.cumsum(1) > random.random((len(still), 1))).argmax(1)
        been[users, path[:, step]] = True
        ends = visits - 1 == step
        last[ends] = chances[ends]
    return path, last


def synthetic_source(config: SyntheticVisits) -> Source:
    """The log as a source, marked synthetic."""
    return generated_source(spec(config), asdict(config), lambda: generate(config).table)


SYNTHETIC_VISITS = generated_data_set(
    synthetic_source(SyntheticVisits()),
    "SYNTHETIC visits of 3,000 users to 600 items: which item comes next; histories, tastes, a walk of categories",
)
