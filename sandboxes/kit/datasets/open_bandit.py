"""Open Bandit: fashion items recommended by a logging policy, uniform or Thompson sampling, with propensities and clicks.

One campaign of one policy is one data set: its log (all.csv, men.csv or women.csv) and item_context.csv from the same folder. A
row is one item shown at one of three positions, its propensity the probability of the item there. The split is by time, since
the log names no users. How near a user is to each item is known before one is chosen, and so a feature of the user.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, need
from sandboxes.kit.datasets.reading import delimited

NAME, LICENCE = "open-bandit", "CC BY 4.0"
CAMPAIGNS = ("all.csv", "men.csv", "women.csv")
AFFINITY = "user-item_affinity_"  # and the number of an item


def spec(affinities: tuple[str, ...]) -> TableSpec:
    """The log's description; `affinities` are its columns of nearness to items."""
    return TableSpec(
        name=NAME,
        tasks=(Label("click"),),
        categorical=(
            *(Categorical(f"user_feature_{i}", side="user") for i in range(4)),
            Categorical("position"),
            Categorical("item_id", side="item"),
            *(Categorical(f"item_feature_{i}", side="item") for i in range(1, 4)),
        ),
        numeric=(*(Numeric(a, side="user") for a in affinities), Numeric("item_feature_0", side="item")),
        time="timestamp",
        target_item="item_id",
        split=Split(by="time"),
        predicts="actions",
        propensity="propensity_score",
    )


def _source(folder: Path | None) -> Source:
    log = need(folder, NAME, *CAMPAIGNS)
    items = need(log.parent, NAME, "item_context.csv")
    affinities = tuple(c for c in delimited(log, ",").collect_schema().names() if c.startswith(AFFINITY))
    said = f"Open Bandit Dataset (Saito et al., NeurIPS 2021 Datasets and Benchmarks), {log.parent.parent.name}/{log.name}"
    return Source(spec(affinities), partial(_read, log, items), content_of((log, items)), said, LICENCE)


def _read(log: Path, items: Path) -> pl.LazyFrame:
    item = delimited(items, ",").select("item_id", *(f"item_feature_{i}" for i in range(4))).unique("item_id")
    return delimited(log, ",").join(item, on="item_id", how="left", maintain_order="left")


OPEN_BANDIT = DataSet(
    name=NAME,
    description="fashion items that a known policy recommended, with propensities and clicks: which item to show",
    licence=LICENCE,
    kind="files",
    source=_source,
    files="a campaign's log of one policy (all.csv, men.csv or women.csv) and its item_context.csv, such as random/all",
)
