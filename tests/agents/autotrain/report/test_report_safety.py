"""Hostile text stays text, in HTML, in SVG and in Markdown; the page fetches nothing and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from example_report import Simulation, full_view
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError

from agents.autotrain.report.build import document_of
from agents.autotrain.report.view import ReportView
from agents.documents.cleaning import clean
from agents.documents.document import Document, Listing, Section, Text, table
from agents.documents.html import to_html
from agents.documents.markdown import escaped, to_markdown

HOSTILE = (
    "</title></desc></svg></style></pre>\"'><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)> {{ 7*7 }} "
    "]]> --> | `code` **bold** [x](javascript:alert(4)) ![i](https://evil.example/i.png) https://evil.example <https://evil.example>"
)
TAGS = (
    "html head meta title style body header p h1 h2 div strong dl dt dd nav ul li a main section table caption thead tbody tr "
    "th td figure figcaption blockquote pre code details summary svg desc line text circle rect polyline"
)


def poisoned(view: ReportView) -> ReportView:
    """The view with every string replaced that may hold any string."""
    plain = json.loads(view.model_dump_json())
    hostile = _replaced(plain)
    try:
        return ReportView.model_validate(hostile)
    except ValidationError as error:
        for fault in error.errors():
            _restore(hostile, plain, fault["loc"])
    return ReportView.model_validate(hostile)


def _replaced(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _replaced(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_replaced(value) for value in node]
    return HOSTILE if isinstance(node, str) and node else node


def _restore(hostile: Any, plain: Any, place: tuple[int | str, ...]) -> None:
    """Sets back the value at the deepest part of `place` that exists (union members add names of types to it)."""
    for step in place:
        key = int(step) if isinstance(plain, list) else step
        if isinstance(plain, dict) and key not in plain:
            continue
        if not isinstance(plain[key], dict | list):
            hostile[key] = plain[key]
            return
        hostile, plain = hostile[key], plain[key]


@pytest.fixture(scope="module")
def view() -> ReportView:
    made = poisoned(full_view(Simulation(rows=3000)))
    assert made.data is not None
    facts = {HOSTILE: HOSTILE}
    return made.model_copy(update={"environment": facts, "data": made.data.model_copy(update={"facts": facts})})


@pytest.fixture(scope="module")
def html(view: ReportView) -> str:
    return to_html(document_of(view))


@pytest.fixture(scope="module")
def page(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "lxml")


def elements(page: BeautifulSoup) -> list[Tag]:
    return [e for e in page.find_all(True) if isinstance(e, Tag)]


def test_hostile_text_makes_no_element_and_no_attribute(page: BeautifulSoup) -> None:
    assert {e.name for e in elements(page)} <= set(TAGS.split())
    assert not [a for e in elements(page) for a in e.attrs if a.startswith("on") or a == "style"]


def test_hostile_text_is_shown_as_it_is(page: BeautifulSoup) -> None:
    assert page.h1 is not None
    assert page.h1.get_text() == HOSTILE
    assert HOSTILE in page.find("blockquote").get_text()  # type: ignore[union-attr]
    assert HOSTILE in page.find(id="L1").get_text()  # type: ignore[union-attr]


def test_hostile_model_names_stay_text_inside_plots(page: BeautifulSoup) -> None:
    drawings = page.find_all("svg")
    assert len(drawings) >= 4
    assert any(HOSTILE in t.get_text() for svg in drawings for t in svg.find_all(["title", "desc"]))
    assert any(t.get_text().startswith(HOSTILE[:8]) for svg in drawings for t in svg.find_all("text"))


def test_nothing_is_fetched_and_nothing_runs(html: str, page: BeautifulSoup) -> None:
    for e in elements(page):
        assert not {"src", "srcset", "data", "action", "formaction", "poster", "background", "ping"} & set(e.attrs)
        assert all(str(e[a]).startswith("#") for a in e.attrs if a.endswith("href"))
    assert page.style is not None
    assert not re.search(r"url\(|@import|expression", page.style.get_text())


def test_the_policy_allows_nothing_but_the_pages_own_style(html: str, page: BeautifulSoup) -> None:
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]  # type: ignore[index]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_links_lead_somewhere_and_ids_are_unique(page: BeautifulSoup) -> None:
    ids = [str(e["id"]) for e in elements(page) if e.has_attr("id")]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for a in page.find_all("a")} <= set(ids)


def test_it_can_be_read_without_seeing_it(page: BeautifulSoup) -> None:
    assert page.html is not None
    assert page.html["lang"] == "en"
    assert all(t.caption and t.caption.get_text() for t in page.find_all("table"))
    assert all(th.get("scope") in ("row", "col") for th in page.find_all("th"))
    for svg in page.find_all("svg"):
        assert svg["role"] == "img"
        named = [svg.find(id=i) for i in str(svg["aria-labelledby"]).split()]
        assert all(n is not None and n.get_text() for n in named)


def parsed(markdown: str) -> list[Any]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [t for token in tokens for t in (token, *(token.children or []))]


def test_markdown_has_no_html_no_link_no_image_no_emphasis_of_theirs(view: ReportView) -> None:
    doc = document_of(view)
    tokens = parsed(to_markdown(doc))
    assert not {"html_block", "html_inline", "link_open", "image", "em_open", "s_open", "code_inline"} & {t.type for t in tokens}
    assert sum(t.type == "strong_open" for t in tokens) == 1  # the badge
    assert sum(t.type == "heading_open" and t.tag == "h2" for t in tokens) == len(doc.sections)


def test_code_that_holds_fences_stays_inside_its_own() -> None:
    text = "x = '''\n```\n# not a heading\n````\n'''"
    doc = Document(
        "t",
        "b",
        "",
        "h",
        sections=(Section("code", "Code", (Listing(text, "model.py", "python", numbered=True), Text("after"))),),
    )
    tokens = parsed(to_markdown(doc))
    fences = [t for t in tokens if t.type == "fence"]
    assert len(fences) == 1
    assert "# not a heading" in fences[0].content
    assert sum(t.type == "heading_open" for t in tokens) == 2


@given(st.text(max_size=80))
@settings(max_examples=120, deadline=None)
def test_any_text_survives_both_formats(text: str) -> None:
    """Whatever it holds, it shows as the same words in a cell, a paragraph and a quote."""
    doc = Document("t", "b", "", "h", sections=(Section("s", "S", (Text(text), table("c", ("a", "b"), [(text, "z")]))),))
    words = clean(text).split()
    page = BeautifulSoup(to_html(doc).encode(), "lxml", from_encoding="utf-8")
    shown = BeautifulSoup(
        MarkdownIt("commonmark").enable("table").render(to_markdown(doc)).encode(), "lxml", from_encoding="utf-8"
    )
    assert page.find("tbody").th.get_text().split() == words  # type: ignore[union-attr]
    assert page.main.p.get_text().split() == words  # type: ignore[union-attr]
    assert shown.find("tbody").td.get_text().split() == words  # type: ignore[union-attr]
    if words:
        assert shown.find_all("p")[-2].get_text().split() == words


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("x\u202ey\u2066z", "xyz"),
        ("\ud800", "\ufffd"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("naïve 模型 ∑", "naïve 模型 ∑"),
    ],
)
def test_characters_that_deceive_or_break_are_dropped(text: str, kept: str) -> None:
    assert clean(text) == kept


@pytest.mark.parametrize("text", ["nDCG@20 rose", "recall@5, nDCG@20.", "(recall@5)"])
def test_a_metrics_name_can_be_read_in_the_raw_markdown(text: str) -> None:
    assert text in escaped(text)


@pytest.mark.parametrize("text", ["write to me@example.org", "thanks @someone", "x@20.example.org", "x@20a.org", "x@20-a.org"])
def test_an_address_or_a_mention_does_not_become_a_link(text: str) -> None:
    assert "@" not in escaped(text)
