"""What holds for a PDF as a whole: the size and font of its text, what repeats on every page, what belongs to figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agents.autotrain.reading.pdf_columns import gutters, lines_of
from agents.autotrain.reading.pdf_fonts import is_math_font, stem
from agents.autotrain.reading.pdf_fractions import with_fractions
from agents.autotrain.reading.pdf_geometry import Line, Page
from agents.autotrain.reading.pdf_word import Word, most_common

FIGURE_SHARE = 0.04  # of all words; a family of fonts rarer than this, and small, is a figure's
SMALLEST = 0.6  # of the text's size; smaller lines are figure labels
EDGE = 0.09  # of a page's height, where running heads and page numbers stand
_PAGE_NUMBER = re.compile(r"(?:page\s*)?[-–—]?\s*(?:\d{1,4}|[ivx]{1,5})\s*[-–—]?(?:\s*(?:of|/)\s*\d{1,4})?", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """All lines in reading order, and the text's usual size and font."""

    lines: tuple[Line, ...]
    size: float
    font: str
    dropped: int  # lines left out: running heads, page numbers, words in figures


def document(pages: Sequence[Page]) -> Document:
    """Lines of all pages in reading order, without what belongs to no text."""
    words = [w for page in pages for w in page.words]
    size = most_common(((w.size, len(w.text)) for w in words), 10.0)
    font = most_common(((w.font, len(w.text)) for w in words if w.size == size), "")
    foreign = _figure_families(words, size, font)
    kept = [with_fractions(_without(page, foreign, size), size) for page in pages]
    lines: list[Line] = []
    for number, (page, gutter) in enumerate(zip(kept, gutters(kept), strict=True)):
        lines += lines_of(page, number, gutter)
    running = _running(lines, [page.height for page in pages])
    text = tuple(line for i, line in enumerate(lines) if i not in running and not _is_tiny(line, size, font))
    return Document(text, size, font, len(lines) - len(text))


def _figure_families(words: Sequence[Word], size: float, font: str) -> frozenset[str]:
    """Font families of drawings: rare, never larger than the text, not mathematical, not the text's own."""
    counts = Counter(stem(w.font) for w in words)
    largest: dict[str, float] = {}
    for w in words:
        largest[stem(w.font)] = max(largest.get(stem(w.font), 0.0), w.size)
    math = {stem(w.font) for w in words if is_math_font(w.font, font)}
    return frozenset(
        name
        for name, count in counts.items()
        if name != stem(font) and name not in math and count < FIGURE_SHARE * len(words) and largest[name] < 0.99 * size
    )


def _without(page: Page, foreign: frozenset[str], size: float) -> Page:
    """The page without its figures' words."""
    return Page(
        page.width, page.height, tuple(w for w in page.words if stem(w.font) not in foreign or w.size > 0.99 * size), page.bars
    )


def _is_tiny(line: Line, size: float, font: str) -> bool:
    """Whether a line stands alone in type too small for text and is no part of a formula."""
    return max(w.size for w in line.words) < SMALLEST * size and not any(is_math_font(w.font, font) for w in line.words)


def _running(lines: Sequence[Line], heights: Sequence[float]) -> frozenset[int]:
    """Indices of page numbers, and of lines at the top or bottom edge that come back on other pages."""
    edge: dict[int, str] = {}
    for i, line in enumerate(lines):
        height = heights[line.page]
        if line.top < EDGE * height or line.bottom > (1 - EDGE) * height:
            edge[i] = re.sub(r"\d+", "#", line.text.casefold())
    pages_of: dict[str, set[int]] = {}
    for i, text in edge.items():
        pages_of.setdefault(text, set()).add(lines[i].page)
    often = 2 if len(heights) < 6 else 3
    return frozenset(i for i, text in edge.items() if _PAGE_NUMBER.fullmatch(lines[i].text) or len(pages_of[text]) >= often)
