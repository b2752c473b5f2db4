"""Synthetic clicks for the choice of features: a generated log of which it is known what is useful, what is noise and what leaks.
No result on it says anything about real users.

Planted, beside plain useful columns: a cross (segment x slot) of which neither side says anything alone, a U-shaped effect of
price in steps, the hour, which shows in the timestamp only, and items whose quality goes with their popularity, so that counts
and rates say more of rare items than their ids do. Columns known after the fact are in the table, and in no description of it
but that of `with_leaks`: `dwell_s` (long where clicked), `paid_at` (seldom there, and hardly ever without a click), `request_id`
(handed out from one range for clicks, from another for the rest).

Notation: n rows, U users, I items, V levels of either side of the cross.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.datasets.generated import generated_data_set, generated_source
from sandboxes.kit.metrics import auc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

START_S, DAY_S, HOUR_S = 1_704_067_200, 86_400, 3_600  # the first of January 2024, UTC
DEVICES, CHANNELS, REGIONS, CATEGORIES = 4, 8, 12, 16
PRICE_STEPS = np.array([1.4, 0.5, -0.5, -1.4, -1.4, -0.5, 0.5, 1.4])  # by eighths of the offers, cheapest first
DWELL_GAP = 2.66  # standard deviations between clicks and the rest: an AUC of .97
PAID, PAID_WITHOUT = 0.4, 0.005  # shares of the clicks, and of the other rows, that have a time of payment
WRONG_RANGE = 0.015  # of the request ids
LEAKS = ("dwell_s", "paid_at", "request_id")


@dataclass(frozen=True)
class SyntheticFeatures:
    """The generator's parameters. Strengths are standard deviations in logits; 0 plants nothing of the kind.

    `levels` is of either side of the cross; `users` are a multiple of it. `noise` columns there are of each kind: few values,
    `noise_cardinality` values, numbers; one more has heavy tails.
    """

    rows: int = 60_000
    users: int = 2_400
    items: int = 3_000
    levels: int = 24
    days: int = 28
    cross: float = 1.0
    price: float = 0.8
    hour: float = 0.6
    quality: float = 0.7
    plain: float = 0.4  # of each plain useful column
    noise: int = 2
    noise_cardinality: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.users % self.levels or min(self.users, self.rows, self.items, self.days) < 1:
            raise ValueError(f"users must be a multiple of levels, and nothing empty: {self}")


@dataclass(frozen=True)
class Truth:
    """What the columns are, by name. `alone` say something by themselves, the two `crossed` only together; `noise` says nothing;
    `leaks` are known after the fact. `planted` are what can be made of the columns, and helps, with the columns it is made of.
    """

    alone: tuple[str, ...]
    crossed: tuple[str, str]
    noise: tuple[str, ...]
    leaks: tuple[str, ...]
    planted: dict[str, tuple[str, ...]]

    @property
    def useful(self) -> tuple[str, ...]:
        return (*self.alone, *self.crossed)


@dataclass(frozen=True)
class Generated:
    """The log (n rows, in order of time) and P(click) (n,) behind it."""

    table: pl.DataFrame
    probabilities: Floats

    @property
    def best_auc(self) -> float:
        """That of the true probabilities, which no model that knows only what is known before beats but by luck."""
        return auc(self.table["click"].to_numpy(), self.probabilities)


def truth(config: SyntheticFeatures) -> Truth:
    """What is planted with these parameters, all strengths being above 0."""
    low, high, numbers = _noise_names(config)
    return Truth(
        alone=("user_id", "item_id", "category", "device", "channel", "region", "price", "tenure"),
        crossed=("segment", "slot"),
        noise=(*low, *high, *numbers, "noise_heavy"),
        leaks=LEAKS,
        planted={
            "cross of segment and slot": ("segment", "slot"),
            "bins of price": ("price",),
            "hour of day": ("timestamp",),
            "count of item": ("item_id",),
            "click rate of item": ("item_id",),
        },
    )


def spec(config: SyntheticFeatures) -> TableSpec:
    """The log's description: everything but what leaks, and nothing of the timestamp but the order of rows."""
    low, high, numbers = _noise_names(config)
    context = ("slot", "device", "channel", "region", *low, *high)
    return TableSpec(
        name="synthetic-features",
        tasks=(Label("click"),),
        categorical=(
            Categorical("user_id", side="user"),
            Categorical("segment", side="user"),
            Categorical("item_id", side="item"),
            Categorical("category", side="item"),
            *(Categorical(name) for name in context),
        ),
        numeric=(
            Numeric("price", transform="log1p"),
            Numeric("tenure", side="user"),
            *(Numeric(name) for name in numbers),
            Numeric("noise_heavy"),
        ),
        user="user_id",
        time="timestamp",
        target_item="item_id",
        split=Split(by="time"),
    )


def with_leaks(description: TableSpec) -> TableSpec:
    """The description that somebody might write who takes every column of the table for a feature."""
    return replace(
        description,
        categorical=(*description.categorical, Categorical("request_id")),
        numeric=(*description.numeric, Numeric("dwell_s", transform="log1p"), Numeric("paid_at")),
    )


def generate(config: SyntheticFeatures) -> Generated:
    """The log and its truth; the same for the same parameters."""
    random = np.random.default_rng(config.seed)
    known, logit = _before(config, random)
    probabilities = 1.0 / (1.0 + np.exp(1.2 - logit))
    click = random.random(config.rows) < probabilities
    after = _after(click, np.asarray(known["timestamp"]), random)
    table = pl.DataFrame(known | _noise(config, random) | after | {"click": click.astype(np.int8)})
    return Generated(table, probabilities)


def synthetic_source(config: SyntheticFeatures, leaks: bool = False) -> Source:
    """The log as a source, marked synthetic; described `with_leaks` when asked for."""
    description = with_leaks(spec(config)) if leaks else spec(config)
    return generated_source(description, asdict(config), lambda: generate(config).table)


def _before(config: SyntheticFeatures, random: np.random.Generator) -> tuple[dict[str, Ints | Floats], Floats]:
    """The useful columns, each (n,), and what they add to the logit (n,)."""
    n, strength = config.rows, config.plain
    at = np.sort(random.integers(config.days * DAY_S, size=n))
    segment, slot = random.integers(config.levels, size=(2, n))
    user, taste = _users(config, segment, random)
    item, quality = _items(config, random)
    category_of, price = random.integers(CATEGORIES, size=config.items), random.normal(size=n)
    context = {"device": DEVICES, "channel": CHANNELS, "region": REGIONS}
    drawn = {name: random.integers(size, size=n) for name, size in context.items()}
    tenure = random.normal(size=n)
    logit = taste + _crossed(config, random)[segment, slot]
    logit += config.quality * quality[item]
    logit += config.price * PRICE_STEPS[_eighth(price)] / PRICE_STEPS.std()
    logit += config.hour * _effects(24, random)[at % DAY_S // HOUR_S] + strength * tenure
    logit += strength * _effects(CATEGORIES, random)[category_of[item]]
    logit += strength * np.sum([_effects(size, random)[drawn[name]] for name, size in context.items()], axis=0)
    columns = {"timestamp": START_S + at, "user_id": user, "segment": segment, "item_id": item, "category": category_of[item]}
    numbers = {"price": np.exp(3.0 + 0.8 * price).round(2), "tenure": (400.0 + 90.0 * tenure).round(1)}
    return columns | {"slot": slot} | drawn | numbers, logit


def _after(click: NDArray[np.bool_], timestamp: Ints, random: np.random.Generator) -> dict[str, pl.Series]:
    """What is known only once it is known whether there was a click."""
    n = len(click)
    dwell = np.exp(1.0 + 0.9 * (DWELL_GAP * click + random.normal(size=n))).round(2)
    paid = random.random(n) < np.where(click, PAID, PAID_WITHOUT)
    paid_at = pl.Series(timestamp + 60 + random.exponential(DAY_S, n).astype(np.int64))
    pool = max(n // 8, 1)  # ids are used again
    from_clicks = click ^ (random.random(n) < WRONG_RANGE)
    request = random.integers(pool, size=n) + np.where(from_clicks, pool, 0)
    never = pl.Series([None] * n, dtype=pl.Int64)
    return {
        "dwell_s": pl.Series(dwell),
        "paid_at": paid_at.zip_with(pl.Series(paid), never),
        "request_id": pl.Series(request),
    }


def _users(config: SyntheticFeatures, segment: Ints, random: np.random.Generator) -> tuple[Ints, Floats]:
    """The user (n,) of each row, and what that adds to its logit (n,): in sum nothing within a segment."""
    own = config.users // config.levels
    weight = _zipf(own, 0.5)
    within = random.choice(own, config.rows, p=weight)
    taste = random.normal(size=(config.levels, own))
    taste = config.plain * (taste - (taste @ weight)[:, None])
    ids = random.permutation(config.users).reshape(config.levels, own)
    return ids[segment, within], np.asarray(taste[segment, within])


def _items(config: SyntheticFeatures, random: np.random.Generator) -> tuple[Ints, Floats]:
    """The item (n,) of each row, and the quality (I,) of all items: of mean 0 and variance 1 over the rows to expect."""
    weight = random.permutation(_zipf(config.items, 0.9))
    quality = 0.6 * _standard(np.log(weight)) + 0.8 * random.normal(size=config.items)
    quality -= quality @ weight
    return random.choice(config.items, config.rows, p=weight), quality / max(np.sqrt(quality**2 @ weight), 1e-12)


def _crossed(config: SyntheticFeatures, random: np.random.Generator) -> Floats:
    """Effects (V, V), of which each row and each column is a permutation of the same V numbers: a Latin square, so that the rate
    of clicks is the same at every level of either side, which centring alone would not make it."""
    a, b = random.permutation(config.levels), random.permutation(config.levels)
    return np.asarray(config.cross * _effects(config.levels, random)[(a[:, None] + b) % config.levels])


def _noise_names(config: SyntheticFeatures) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    low, high, numbers = (tuple(f"noise_{kind}_{i}" for i in range(config.noise)) for kind in ("low", "high", "number"))
    return low, high, numbers


def _noise(config: SyntheticFeatures, random: np.random.Generator) -> dict[str, Ints | Floats]:
    n, (low, high, numbers) = config.rows, _noise_names(config)
    columns: dict[str, Ints | Floats] = {name: random.integers(6, size=n) for name in low}
    columns |= {name: random.integers(config.noise_cardinality, size=n) for name in high}
    columns |= {name: random.normal(size=n) for name in numbers}
    return columns | {"noise_heavy": random.standard_cauchy(n)}


def _eighth(standard: Floats) -> Ints:
    """In which eighth of the normal distribution each number lies."""
    edges = np.array([-1.1503, -0.6745, -0.3186, 0.0, 0.3186, 0.6745, 1.1503])
    return np.searchsorted(edges, standard)


def _effects(n: int, random: np.random.Generator) -> Floats:
    """Effects (n,) of the levels of a column, of mean 0 and variance 1."""
    return _standard(random.normal(size=n))


def _standard(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / max(values.std(), 1e-12))


def _zipf(n: int, exponent: float) -> Floats:
    weights = np.arange(1, n + 1) ** -exponent
    return np.asarray(weights / weights.sum())


SYNTHETIC_FEATURES = generated_data_set(
    synthetic_source(SyntheticFeatures()),
    "SYNTHETIC clicks, 60,000 rows, for the choice of features: planted crosses, bins and rates; noise; columns that leak",
)
