"""Synthetic clicks: a generated log whose true probabilities are known. No result on it says anything about real users.

Planted: two pairwise interactions without main effects (user segment x item category, device x part of the day), a history
effect (share of the target's category among the user's last clicks), a bell-shaped effect of price, item quality, scenarios
with their own base rate and weights, and drift of the categories' appeal from day to day. Two labels: click, and conversion
given click. Conversion is unobserved (null) without a click in the log; prepared, it is 0 there (see `spec.Label.given`).

Histories are renewed overnight: a row sees clicks of earlier days only. The split is by day, so that a test row's history
holds no test click and what the kit builds from the log is exactly what the truth used.
Notation: n rows, U users, I items, L history length.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sandboxes.kit.data.history import histories
from sandboxes.kit.data.prepare import prepare
from sandboxes.kit.data.prepared import Prepared
from sandboxes.kit.data.source import Source
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.datasets.generated import generated_data_set, generated_source

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEGMENTS, DEVICES, PARTS_OF_DAY = 8, 3, 4


@dataclass(frozen=True)
class SyntheticClicks:
    """The generator's parameters. Strengths are standard deviations in logits; 0 plants nothing of the kind."""

    rows: int = 120_000
    users: int = 2_000
    items: int = 400
    categories: int = 12
    scenarios: int = 3
    days: int = 10
    history: int = 20
    interaction: float = 1.0
    history_effect: float = 1.0
    drift: float = 0.4
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """The log (n rows, in order of days) and the truth behind it: P(click), and P(click and conversion), (n, 2)."""

    table: pl.DataFrame
    probabilities: Floats


@dataclass(frozen=True)
class _Truth:
    """Everything that is drawn once: who users and items are, and the weights."""

    segment: Ints  # (U,)
    age: Floats  # (U,)
    user_weight: Floats  # (U,) sums to 1
    category: Ints  # (I,)
    price: Floats  # (I,)
    quality: Floats  # (I,)
    item_weight: Floats  # (I,) sums to 1
    taste: Floats  # (segments, categories), rows and columns sum to 0
    moment: Floats  # (devices, parts of day), likewise
    trend: Floats  # (categories,) logits gained over the whole time
    base: Floats  # (scenarios,)
    weights: Floats  # (scenarios, 2): of taste and of history
    need: Floats  # (segments, categories): of conversion


def spec(config: SyntheticClicks) -> TableSpec:
    """The log's description."""
    length = config.history
    return TableSpec(
        name="synthetic-clicks",
        tasks=(Label("click"), Label("conversion", given="click")),
        categorical=(
            Categorical("user_id", side="user"),
            Categorical("segment", side="user"),
            Categorical("item_id", side="item"),
            Categorical("category", side="item"),
            Categorical("device"),
            Categorical("hour"),
            Categorical("scenario"),
        ),
        numeric=(Numeric("age", side="user"), Numeric("price", transform="log1p", side="item")),
        sequences=(
            Sequence("clicked_items", of="item_id", length=length, where="click"),
            Sequence("clicked_categories", of="category", length=length, where="click"),
        ),
        user="user_id",
        time="day",
        scenario="scenario",
        target_item="item_id",
        split=Split(by="time"),
    )


def generate(config: SyntheticClicks) -> Generated:
    """The log and its truth; the same for the same parameters."""
    random = np.random.default_rng(config.seed)
    truth = _draw(config, random)
    n = config.rows
    day = np.arange(n) * config.days // n
    user = random.choice(config.users, n, p=truth.user_weight)
    item = random.choice(config.items, n, p=truth.item_weight)
    device, hour = random.integers(DEVICES, size=n), random.integers(24, size=n)
    scenario = random.choice(config.scenarios, n, p=_zipf(config.scenarios, 0.7))
    logit = _click_logits(config, truth, day, user, item, device, hour, scenario)
    dice = random.random((n, 2))
    click = _simulate(config, truth, day, user, item, scenario, logit, dice[:, 0])  # finishes `logit` day by day
    conversion_logit = -1.2 + 0.8 * truth.quality[item] + truth.need[truth.segment[user], truth.category[item]]
    p_click, p_conversion = _sigmoid(logit), _sigmoid(conversion_logit)
    converted = dice[:, 1] < p_conversion
    table = pl.DataFrame(
        {
            "day": day,
            "user_id": user,
            "segment": truth.segment[user],
            "age": truth.age[user],
            "item_id": item,
            "category": truth.category[item],
            "price": truth.price[item],
            "device": device,
            "hour": hour,
            "scenario": scenario,
            "click": click.astype(np.int8),
            "conversion": pl.Series(converted.astype(np.int8)).zip_with(pl.Series(click), pl.Series([None] * n, dtype=pl.Int8)),
        }
    )
    return Generated(table, np.stack([p_click, p_click * p_conversion], axis=1))


def synthetic_source(config: SyntheticClicks) -> Source:
    """The log as a source, marked synthetic."""
    return generated_source(spec(config), asdict(config), lambda: generate(config).table)


def prepare_synthetic(config: SyntheticClicks, folder: Path) -> Prepared:
    """The generated log, prepared under `folder`."""
    return prepare(synthetic_source(config), folder)


def _click_logits(
    config: SyntheticClicks, truth: _Truth, day: Ints, user: Ints, item: Ints, device: Ints, hour: Ints, scenario: Ints
) -> Floats:
    """Logits (n,) of a click, but for the history effect."""
    category = truth.category[item]
    taste = truth.weights[scenario, 0] * truth.taste[truth.segment[user], category]
    price = np.log1p(truth.price[item])
    liked_price = 0.5 - 0.5 * ((price - np.log1p(truth.price).mean()) / np.log1p(truth.price).std()) ** 2
    passed = day / max(config.days - 1, 1)
    fixed = truth.base[scenario] + truth.quality[item] + truth.moment[device, hour * PARTS_OF_DAY // 24]
    return np.asarray(fixed + taste + liked_price + truth.trend[category] * passed)


def _simulate(
    config: SyntheticClicks, truth: _Truth, day: Ints, user: Ints, item: Ints, scenario: Ints, logit: Floats, dice: Floats
) -> NDArray[np.bool_]:
    """Clicks (n,), day by day, since a day's histories hold the clicks of the days before. Adds the history effect to `logit`."""
    click = np.zeros(len(day), dtype=np.bool_)
    ids = (truth.category[item] + 1).astype(np.int32)
    for today in range(config.days):
        until = int(np.searchsorted(day, today, side="right"))
        now = slice(int(np.searchsorted(day, today)), until)
        past = histories(
            user[:until], day[:until].astype(float), ids[:until], click[:until], np.zeros(until, np.int8), config.history
        )[now]  # (rows today, L) category + 1, 0 = padding
        clicked = (past > 0).sum(1)
        share = (past == ids[now, None]).sum(1) / np.maximum(clicked, 1)
        effect = 4.0 * (share - 1.0 / config.categories) * (clicked > 0)
        logit[now] += config.history_effect * truth.weights[scenario[now], 1] * effect
        click[now] = dice[now] < _sigmoid(logit[now])
    return click


def _draw(config: SyntheticClicks, random: np.random.Generator) -> _Truth:
    scenario_weights = np.stack([np.linspace(1.2, 0.4, config.scenarios), np.linspace(0.6, 1.2, config.scenarios)], axis=1)
    return _Truth(
        segment=random.integers(SEGMENTS, size=config.users),
        age=random.normal(38.0, 12.0, config.users).clip(16, 90).round(),
        user_weight=random.permutation(_zipf(config.users, 0.5)),
        category=random.integers(config.categories, size=config.items),
        price=random.lognormal(3.0, 0.8, config.items).round(2),
        quality=random.normal(0.0, 0.5, config.items),
        item_weight=random.permutation(_zipf(config.items, 0.7)),
        taste=_centred(random.normal(0.0, 1.0, (SEGMENTS, config.categories))) * config.interaction,
        moment=_centred(random.normal(0.0, 0.5, (DEVICES, PARTS_OF_DAY))) * config.interaction,
        trend=random.normal(0.0, 1.0, config.categories) * config.drift,
        base=np.linspace(-1.6, -1.0, config.scenarios),
        weights=scenario_weights,
        need=_centred(random.normal(0.0, 0.8, (SEGMENTS, config.categories))),
    )


def _centred(table: Floats) -> Floats:
    """Without main effects: what is left shows only in pairs."""
    return np.asarray(table - table.mean(0, keepdims=True) - table.mean(1, keepdims=True) + table.mean())


def _zipf(n: int, exponent: float) -> Floats:
    weights = np.arange(1, n + 1) ** -exponent
    return np.asarray(weights / weights.sum())


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


SYNTHETIC_CLICKS = generated_data_set(
    synthetic_source(SyntheticClicks()),
    "SYNTHETIC clicks, 120,000 rows, 2 tasks: click, conversion given click; histories, scenarios, drift",
)
