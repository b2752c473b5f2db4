"""Taobao: ad impressions with clicks (`taobao-ads`), and user behaviour without impressions (`taobao-behavior`).

Ads: the first seven of eight days train and validate, the last tests, as published, by a split by time with those shares; the
ad's position is the scenario. Behaviour: page views as next-item prediction with sampled negatives (see `next_item`).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from sandboxes.kit.data.source import Source, content_of
from sandboxes.kit.data.spec import Categorical, Label, Numeric, Sequence, Split, TableSpec
from sandboxes.kit.datasets.dataset import DataSet, need
from sandboxes.kit.datasets.next_item import with_negatives
from sandboxes.kit.datasets.reading import delimited

LICENCE = "CC BY-NC-SA 4.0 by Tianchi's terms"
ADS = ("raw_sample.csv", "ad_feature.csv", "user_profile.csv")
PROFILE = (
    "cms_segid",
    "cms_group_id",
    "final_gender_code",
    "age_level",
    "pvalue_level",
    "shopping_level",
    "occupation",
    "new_user_class_level",
)
AD = ("cate_id", "campaign_id", "customer", "brand")
BEHAVIOR = "UserBehavior.csv"


def ads_spec() -> TableSpec:
    return TableSpec(
        name="taobao-ads",
        tasks=(Label("click", "clk"),),
        categorical=(
            Categorical("user_id", "user", side="user"),
            *(Categorical(c, side="user") for c in PROFILE),
            Categorical("adgroup_id", min_frequency=2, side="item"),
            *(Categorical(c, min_frequency=2, side="item") for c in AD),
            Categorical("pid"),
        ),
        numeric=(Numeric("price", transform="log1p", side="item"),),
        sequences=(
            Sequence("clicked_ads", of="adgroup_id", length=30, where="click"),
            Sequence("clicked_categories", of="cate_id", length=30, where="click"),
        ),
        user="user",
        time="time_stamp",
        scenario="pid",
        target_item="adgroup_id",
        split=Split(by="time", train=0.775, valid=0.1, test=0.125),
    )


def behavior_spec() -> TableSpec:
    return TableSpec(
        name="taobao-behavior",
        tasks=(Label("label"),),
        categorical=(
            Categorical("user_id", "user", side="user"),
            Categorical("item_id", "item", min_frequency=2, side="item"),
            Categorical("category_id", "category", side="item"),
        ),
        sequences=(
            Sequence("viewed_items", of="item_id", length=50, where="label"),
            Sequence("viewed_categories", of="category_id", length=50, where="label"),
        ),
        user="user",
        time="time",
        target_item="item_id",
        split=Split(by="given", column="split"),
    )


def _ads(folder: Path | None) -> Source:
    files = tuple(need(folder, "taobao-ads", name) for name in ADS)
    said = "Taobao ad display and click data, Tianchi data set 56"
    return Source(ads_spec(), partial(_read_ads, files), content_of(files), said, LICENCE)


def _read_ads(files: tuple[Path, ...]) -> pl.LazyFrame:
    log, ad, profile = (_stripped(delimited(f, ",")) for f in files)
    ad = ad.with_columns(pl.col("price").cast(pl.Float64, strict=False)).unique("adgroup_id")
    profile = profile.rename({"userid": "user"}).unique("user")
    return (
        log.with_columns(pl.col("time_stamp").cast(pl.Int64))
        .join(ad, on="adgroup_id", how="left", maintain_order="left")
        .join(profile, on="user", how="left", maintain_order="left")
    )


def _stripped(table: pl.LazyFrame) -> pl.LazyFrame:
    """Without blanks around column names: the official user_profile.csv has one."""
    return table.rename({name: name.strip() for name in table.collect_schema().names()})


def _behavior(folder: Path | None) -> Source:
    file = need(folder, "taobao-behavior", BEHAVIOR)
    said = "Taobao user behaviour, Tianchi data set 649, page views; negatives are sampled"
    return Source(behavior_spec(), partial(_read_behavior, file), content_of([file]), said, LICENCE)


def _read_behavior(file: Path) -> pl.DataFrame:
    log = delimited(file, ",", ("user", "item", "category", "behavior", "time")).filter(pl.col("behavior") == "pv")
    events = log.with_columns(pl.col("time").cast(pl.Int64)).collect()
    category = events.select("item", "category").unique("item", keep="first", maintain_order=True)
    rows = with_negatives(events.select("user", "item", "time"))
    return rows.join(category, on="item", how="left", maintain_order="left")


TAOBAO_ADS = DataSet(
    name="taobao-ads",
    description="ad impressions, 26,557,961 rows, 1 task: click; positions as scenarios; histories",
    licence=LICENCE,
    kind="files",
    source=_ads,
    files=f"{', '.join(ADS)} (also .gz)",
)
TAOBAO_BEHAVIOR = DataSet(
    name="taobao-behavior",
    description="page views as next-item prediction with sampled negatives, 89,716,264 views, 1 task; histories",
    licence=LICENCE,
    kind="files",
    source=_behavior,
    files=f"{BEHAVIOR} (also .gz)",
)
