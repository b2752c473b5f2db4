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
    for bar in sorted([*page.bars, *_implied_bars(words, size)], key=lambda b: b[1] - b[0]):
        if bar[1] - bar[0] > WIDEST:
            continue
        above, below = _around(words, bar, size)
        if above and below and _beside(words, bar, size) and _fills(above, below, bar, size):
            folded = "\\frac{" + line_text(above) + "}{" + line_text(below) + "}"
            gone = {id(w) for w in [*above, *below]}
            words = [w for w in words if id(w) not in gone]
            words.append(Word(bar[0], bar[1], bar[2] + 0.25 * size, folded, FONT, size))
    return Page(page.width, page.height, tuple(words), page.bars)


def _implied_bars(words: Sequence[Word], size: float) -> list[tuple[float, float, float]]:
    """Bars that the page draws in a way not seen: between two short words centred above each other with nothing between."""
    short = sorted(
        (w for w in words if len(w.text) <= 3 and w.text[0].isalnum() and w.size > 0.9 * size and _alone(w, words)),
        key=lambda w: w.baseline,
    )
    found = []
    for n, above in enumerate(short):
        for below in short[n + 1 :]:
            drop = below.baseline - above.baseline
            if drop > 1.7 * size:
                break
            if drop > 1.2 * size and abs((above.x0 + above.x1) - (below.x0 + below.x1)) < 2.5:
                found.append((min(above.x0, below.x0), max(above.x1, below.x1), above.baseline + 0.35 * size))
    return found


def _alone(word: Word, words: Sequence[Word]) -> bool:
    """Whether nothing stands close on the word's own line."""
    row = (w for w in words if abs(w.baseline - word.baseline) < 0.25 * word.size and w is not word)
    return all(w.x0 - word.x1 > word.size or word.x0 - w.x1 > word.size for w in row)


def _around(words: Sequence[Word], bar: tuple[float, float, float], size: float) -> tuple[list[Word], list[Word]]:
    """The words right above and right below the bar."""
    x0, x1, y = bar
    inside = [w for w in words if x0 - 1.5 <= (w.x0 + w.x1) / 2 <= x1 + 1.5 and w.x0 > x0 - size and w.x1 < x1 + size]
    above = [w for w in inside if y - 1.25 * size <= w.middle + 0.25 * w.size <= y + 0.02 * size]
    below = [w for w in inside if y + 0.3 * size <= w.middle + 0.25 * w.size <= y + 1.6 * size and w not in above]
    return _scripts_alone(above, bar, size), _scripts_alone(below, bar, size)


def _scripts_alone(part: list[Word], bar: tuple[float, float, float], size: float) -> list[Word]:
    """The small words alone where these fill the bar: a fraction within a line, whose neighbouring lines are near."""
    small = [w for w in part if w.size < 0.86 * size]
    filled = sum(w.x1 - w.x0 for w in small) > 0.35 * (bar[1] - bar[0])
    return small if filled else part


def _beside(words: Sequence[Word], bar: tuple[float, float, float], size: float) -> bool:
    """Whether something of the same formula stands left or right of the bar, on its height. Rules of tables stand alone."""
    x0, x1, y = bar
    on_height = [w for w in words if abs(w.middle - y) < 0.35 * size and w.text not in ".,;:"]
    if any(w.x0 < x1 and w.x1 > x0 for w in on_height):
        return False
    return any(-0.5 * size < x0 - w.x1 < 1.5 * size or -0.5 * size < w.x0 - x1 < 1.5 * size for w in on_height)


def _fills(above: Sequence[Word], below: Sequence[Word], bar: tuple[float, float, float], size: float) -> bool:
    """Whether the longer of the two parts is about as long as the bar, as typesetting makes it."""
    if max(len(above), len(below)) > MOST_WORDS:
        return False
    longer = max(max(w.x1 for w in part) - min(w.x0 for w in part) for part in (above, below))
    return abs(longer - (bar[1] - bar[0])) < 1.0 * size
