"""Quotations are found whatever copying did to them, and only where they stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.autotrain.paper import Paper
from agents.autotrain.reading import evidence, find_quote
from agents.autotrain.reading.pieces import Draft, Heading, Paragraph, assemble

TEXT = "The “cross network” is feed-forward — it keeps x² and learns state-of-the-art interactions. The cart has art."


def _paper(text: str = TEXT) -> Paper:
    return assemble(Draft("T", (Heading("Method"), Paragraph(text))), "t.txt", "text")


def _found(quote: str, text: str = TEXT) -> str | None:
    paper = _paper(text)
    place = find_quote(paper, quote)
    return None if place is None else paper.text[place[0] : place[1]]


def test_tolerates_spaces_hyphens_quotation_marks_dashes_and_case() -> None:
    assert _found('the "cross  network"\nis feed-\nforward - it') == "The “cross network” is feed-forward — it"
    assert _found("STATE OF THE ART interactions") == "state-of-the-art interactions"


def test_whole_words_only() -> None:
    assert _found("art.") == "art."
    assert _found("ross network") is None


def test_unknown_and_empty_quotes() -> None:
    assert _found("deep network") is None
    assert _found("  - ") is None
    assert find_quote(_paper(), "") is None


def test_evidence_names_the_section() -> None:
    found = evidence(_paper(), "keeps x²")
    assert (found.section, found.quote) == ("Method", "keeps x²")
    missing = evidence(_paper(), "nowhere to be found")
    assert (missing.start, missing.end, missing.section) == (-1, -1, "")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200), st.integers(0, 30), st.integers(1, 30))
def test_every_whole_paragraph_is_found_at_an_equal_place(text: str, start: int, length: int) -> None:
    paper = Paper(title="t", source="s", format="text", text=text)
    place = find_quote(paper, text[start : start + length])
    if place is not None:
        assert 0 <= place[0] < place[1] <= len(text)
    words = [word for word in text.split() if any(c.isalnum() for c in word) and word.isascii() and word.isalnum()]
    for word in words:
        found = find_quote(paper, word)
        assert found is not None
        assert text[found[0] : found[1]].replace("-", "").casefold().strip("'\"").startswith(word[0].casefold())
