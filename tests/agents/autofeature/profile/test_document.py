"""The page: what matters first, everything there, and names and values of columns are text whatever they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from lxml import html
from profiled import UNTIMED, honest, profiled

from agents.autofeature.profile import document_of
from agents.documents.html import to_html
from agents.documents.markdown import to_markdown

N = 2000
HOSTILE = "<script>alert(1)</script>|**x**\u202e"


def page(columns: dict[str, Any] | pl.DataFrame, **given: Any) -> Any:
    return html.fromstring(to_html(document_of(profiled(columns, **given))))


def planted() -> dict[str, Any]:
    columns = honest(N)
    draw = np.random.default_rng(0)
    columns["paid"] = [float(v) if c else None for v, c in zip(draw.random(N), columns["click"], strict=True)]
    columns["hint"] = np.where(draw.random(N) < 0.95, columns["click"], 2)
    columns["season"] = np.where(np.arange(N) < N / 2, 1.0, 3.0) + draw.normal(size=N)
    return columns


def test_the_headline_says_what_to_look_at() -> None:
    doc = document_of(profiled(planted()))
    assert (doc.badge, doc.tone) == ("2 columns to refuse", "bad") or doc.badge == "1 column to refuse"
    assert doc.headline.startswith("2,000 rows and 8 columns: do not use") and "paid" in doc.headline
    assert "season drifts" in doc.headline
    assert [s.id for s in doc.sections] == ["suspects", "labels", "columns", "drift", "duplicates"]
    clean = document_of(profiled(honest(N)))
    assert (clean.badge, clean.tone) == ("no suspects", "good") and "nothing stands out" in clean.headline
    nothing = document_of(profiled({**honest(N), "click": [0] * N}))
    assert nothing.tone == "warn" and "no column could be checked" in nothing.headline


def test_the_page_has_every_column_and_its_plots() -> None:
    found = page(planted())
    names = {c.text_content() for c in found.get_element_by_id("columns").xpath(".//tbody/tr/th")}
    assert {"user", "item", "price", "time", "click", "paid", "hint", "season"} <= names
    titles = [f.text_content() for f in found.xpath("//figcaption")]
    assert titles == ["Positive rate of click by window", "Stability index by window", "Rows with values never seen before"]
    assert len(set(found.xpath("//svg/@aria-labelledby"))) == len(found.xpath("//svg"))
    assert "AgenticRS profile of a table" in found.xpath("//header/p")[0].text_content()


@pytest.mark.parametrize("where", ["name", "value"])
def test_hostile_text_stays_text(where: str) -> None:
    columns = planted()
    if where == "name":
        columns[HOSTILE] = columns.pop("season")
        columns[f"{HOSTILE}2"] = columns.pop("paid")
    else:
        columns["item"] = [HOSTILE if i % 2 else v for i, v in enumerate(columns["item"])]
    doc = document_of(profiled(columns))
    text = to_html(doc)
    assert "<script" not in text and "\u202e" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in to_markdown(doc) and "**x**" not in to_markdown(doc)


def test_markdown_has_the_same_numbers() -> None:
    text = to_markdown(document_of(profiled(planted())))
    assert "| paid |" in text and "missingness" in text and "Stability index by window (plot" in text


def test_without_an_order_the_page_says_so() -> None:
    found = page({k: v for k, v in honest(N).items() if k not in ("user", "time")}, spec=UNTIMED)
    assert "Not available" in found.get_element_by_id("drift").text_content() and not found.xpath("//svg")


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_tiny_tables_have_a_page(rows: int) -> None:
    assert "nothing could be checked" in to_html(document_of(profiled(pl.DataFrame(honest(3))[:rows])))
