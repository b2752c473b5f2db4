"""What is said of data sets: the list, and what preparing came to."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from small_shop import log

from sandboxes.kit.data import DataError
from workflows.data import listing, prepare
from workflows.settings import Settings

SCHEMA = """
name = "my [bold]shop"
files = "log.parquet"
user = "user"
time = "at"
scenario = "member"
target_item = "item"
provenance = "made up"
licence = "internal"
[[categorical]]
name = "item"
[[categorical]]
name = "member"
[[numeric]]
name = "price"
[[sequence]]
name = "clicked"
of = "item"
length = 5
where = "click"
[[sequence]]
name = "bought"
of = "buy"
length = 4
[[task]]
name = "click"
[[task]]
name = "buy"
given = "click"
[split]
by = "time"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def shop(tmp_path: Path) -> str:
    log().write_parquet(tmp_path / "log.parquet")
    (tmp_path / "shop.toml").write_text(SCHEMA)
    return str(tmp_path / "shop.toml")


def test_every_known_data_set_is_listed_with_what_is_missing(settings: Settings) -> None:
    rows = {row["name"]: row for row in listing(settings)}
    assert rows["census-income"]["state"] == "ready" and rows["census-income"]["licence"] == "CC BY 4.0"
    assert "ratings.dat" in rows["movielens-1m"]["state"]
    assert all(set(row) == {"name", "description", "licence", "state"} and all(row.values()) for row in rows.values())


def test_preparing_says_what_the_data_is_and_where_it_lies(settings: Settings, shop: str) -> None:
    said = prepare(settings, shop)
    lines = said.splitlines()
    assert "history bought: the user's last 4 outcomes of buy" in said
    assert lines[0] == "my [bold]shop: prepared"
    assert "licence internal" in said and "train 480, valid 60, test 60" in said
    assert "2 categorical: item (20 values, the item), member (2 values, scenario)" in said
    assert "history clicked: the user's last 5 of item" in said
    assert "tasks:  click, buy (given click); a verdict is about click" in said
    assert "positive in test: click" in said
    assert "new or rare in test: item" in said
    assert "splits in order of time: every split is later than the one before" in said
    assert Path(lines[-1].removeprefix("lies in ")).joinpath("prepared.json").is_file()
    assert prepare(settings, shop).splitlines()[0] == "my [bold]shop: prepared before, reused"


def test_what_looks_like_a_leak_stands_out(settings: Settings, tmp_path: Path) -> None:
    table = log()
    pl.concat([table, table.head(30)]).drop("at", "user", "shops").write_parquet(tmp_path / "copies.parquet")
    said = prepare(settings, str(tmp_path / "copies.parquet"))
    assert "check:  no row in two splits" in said  # a split by hash keeps copies together
    given = table.with_columns(pl.Series("split", ["train"] * 400 + ["valid"] * 100 + ["test"] * 100))
    again = given.head(20).with_columns(pl.lit("test").alias("split"))
    pl.concat([given, again]).drop("at", "user", "shops", "buy").write_parquet(tmp_path / "leaky.parquet")
    assert "LOOK:   no row in two splits: 0.00% of valid rows are copies of train rows, 16.67%" in prepare(
        settings, str(tmp_path / "leaky.parquet")
    )


def test_a_wrong_name_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(DataError, match="did you mean census-income"):
        prepare(settings, "censusincome")
