"""Fractions in a PDF: a rule with words above and below beside a formula becomes one word, "\\frac{1}{N}"."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autotrain.reading.pdf_geometry import Page
from agents.autotrain.reading.pdf_text import line_text
from agents.autotrain.reading.pdf_word import Word

WIDEST = 180.0  # points; longer rules belong to tables
MOST_WORDS = 40  # above or below one bar
FONT = "CMSY-fraction"  # a mathematical font's name, so that fractions count as mathematics


def with_fractions(page: Page, size: float) -> Page:
    """The page with its fractions folded, the narrowest first, so that nested ones work from the inside; `size` is the text's."""
    words = list(page.words)
    for bar in sorted(page.bars, key=lambda b: b[1] - b[0]):
        if bar[1] - bar[0] > WIDEST:
            continue
        above, below = _around(words, bar, size)
        if above and below and _beside(words, bar, size) and _fills(above, below, bar, size):
            folded = "\\frac{" + line_text(above) + "}{" + line_text(below) + "}"
            gone = {id(w) for w in [*above, *below]}
            words = [w for w in words if id(w) not in gone]
            words.append(Word(bar[0], bar[1], bar[2] + 0.25 * size, folded, FONT, size))
    return Page(page.width, page.height, tuple(words), page.bars)


def _around(words: Sequence[Word], bar: tuple[float, float, float], size: float) -> tuple[list[Word], list[Word]]:
    """The words right above and right below the bar."""
    x0, x1, y = bar
    inside = [w for w in words if x0 - 1.5 <= (w.x0 + w.x1) / 2 <= x1 + 1.5 and w.x0 > x0 - size and w.x1 < x1 + size]
    above = [w for w in inside if y - 1.25 * size <= w.middle + 0.25 * w.size <= y + 0.02 * size]
    below = [w for w in inside if y + 0.3 * size <= w.middle + 0.25 * w.size <= y + 1.6 * size and w not in above]
    return above, below


def _beside(words: Sequence[Word], bar: tuple[float, float, float], size: float) -> bool:
    """Whether something of the same formula stands left or right of the bar, on its height. Rules of tables stand alone."""
    x0, x1, y = bar
    on_height = [w for w in words if abs(w.middle - y) < 0.35 * size]
    return any(-0.5 * size < x0 - w.x1 < 1.5 * size or -0.5 * size < w.x0 - x1 < 1.5 * size for w in on_height)


def _fills(above: Sequence[Word], below: Sequence[Word], bar: tuple[float, float, float], size: float) -> bool:
    """Whether the longer of the two parts is about as long as the bar, as typesetting makes it."""
    if max(len(above), len(below)) > MOST_WORDS:
        return False
    longer = max(max(w.x1 for w in part) - min(w.x0 for w in part) for part in (above, below))
    return abs(longer - (bar[1] - bar[0])) < 1.0 * size
