"""Finds a quotation in a paper's text, tolerant of what copying changes: spaces, hyphens, quotation marks, dashes, case."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from agents.autotrain.paper import Paper
from agents.autotrain.reading.sections import section_at
from agents.autotrain.spec import Evidence

_MARKS = str.maketrans(
    dict.fromkeys('`´‘’‚‛′"“”„‟″«»', "'") | dict.fromkeys("‐‑‒–—―−", "-"),
)


def find_quote(paper: Paper, quote: str) -> tuple[int, int] | None:
    """Where `quote` stands in `paper.text` as (start, end), exact offsets of its first occurrence; None if it does not.

    Compared without spaces, hyphens and dashes and without case; the match must begin and end where words do.
    """
    wanted, _ = _skeleton(quote)
    if not wanted:
        return None
    skeleton, places = _text_skeleton(paper.text)
    at = skeleton.find(wanted)
    while at >= 0:
        start, end = places[at], places[at + len(wanted) - 1] + 1
        if _whole_words(paper.text, start, end):
            return start, end
        at = skeleton.find(wanted, at + 1)
    return None


def evidence(paper: Paper, quote: str) -> Evidence:
    """The quotation with its section and offsets; offsets are -1 where the paper does not contain it."""
    found = find_quote(paper, quote)
    if found is None:
        return Evidence(quote=quote)
    section = section_at(paper, found[0])
    return Evidence(quote=paper.text[found[0] : found[1]], section=section.title if section else "", start=found[0], end=found[1])


@lru_cache(maxsize=4)
def _text_skeleton(text: str) -> tuple[str, tuple[int, ...]]:
    """`_skeleton` of a whole paper, kept because many quotes are looked up in one paper."""
    return _skeleton(text)


def _skeleton(text: str) -> tuple[str, tuple[int, ...]]:
    """The text reduced to what must agree, and for each of its characters the offset it came from."""
    kept: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        plain = char if char.isascii() else unicodedata.normalize("NFKC", char)
        for part in plain.translate(_MARKS).casefold():
            # Quotation marks go altogether, since LaTeX doubles them; control and format characters carry nothing.
            if part not in "-'" and not part.isspace() and unicodedata.category(part)[0] != "C":
                kept.append(part)
                places.append(place)
    return "".join(kept), tuple(places)


def _whole_words(text: str, start: int, end: int) -> bool:
    """Whether neither end cuts through a word."""
    opens = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    closes = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())
    return opens and closes
