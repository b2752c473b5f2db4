"""The words of a PDF's line as text: spaces where there are gaps, sub- and superscripts as "x_{i}" and "x^{2}"."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autotrain.reading.pdf_fonts import BIG_OPERATORS, plain_characters
from agents.autotrain.reading.pdf_geometry import SCRIPT_RATIO, Word

SPACE = 0.14  # of the type size; a narrower gap does not part words


def line_text(words: Sequence[Word]) -> str:
    """One line as text. Footnote marks (digits raised behind a word) are left out."""
    composer = _Composer()
    for word in in_reading_order(words):
        composer.add(word, plain_characters(word.text, word.font))
    return composer.finish()


def in_reading_order(words: Sequence[Word]) -> list[Word]:
    """Left to right, but the limits above and below a large operator follow it, the lower first."""
    operators = [w for w in words if is_operator(w)]

    def place(word: Word) -> tuple[float, int, float, float]:
        for op in operators:
            reach = 0.6 * op.size
            if (
                word is not op
                and word.size < SCRIPT_RATIO * op.size
                and op.x0 - reach <= (word.x0 + word.x1) / 2 <= op.x1 + reach / 3
            ):
                return op.x0, 1 if word.middle > op.middle else 2, word.x0, word.top
        return word.x0, 0, 0.0, word.top

    return sorted(words, key=place)


def is_operator(word: Word) -> bool:
    """Whether it is a sum, product, integral or the like."""
    return plain_characters(word.text, word.font) in BIG_OPERATORS


def is_limit(word: Word, operator: Word) -> bool:
    """Whether the word is part of the limits above, below or beside a large operator."""
    centre, size = (word.x0 + word.x1) / 2, operator.size
    near = operator.x0 - 0.6 * size <= centre <= operator.x1 + 0.2 * size
    return near and word.size < SCRIPT_RATIO * size and abs(word.middle - operator.middle) < 1.6 * size


class _Composer:
    """Text so far, and the open script if there is one."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._base: Word | None = None  # the last word on the line itself
        self._last: Word | None = None
        self._mark = ""  # "_" or "^" while a script is open
        self._script = ""

    def add(self, word: Word, text: str) -> None:
        if not text:
            return
        mark = self._mark_of(word)
        gap = word.x0 - self._last.x1 if self._last else 0.0
        apart = gap > SPACE * word.size
        if mark:
            if mark != self._mark:
                self._close_script()
                self._mark = mark
            self._script += (" " if apart and self._script and text.isalpha() and self._script[-1].isalpha() else "") + text
        else:
            self._close_script()
            self._parts.append((" " if apart and self._parts else "") + text)
            self._base = word
        self._last = word

    def _mark_of(self, word: Word) -> str:
        """Whether the word is raised or lowered against its base; an unclear one goes on with the open script."""
        base = self._base
        if base is None or word.size > SCRIPT_RATIO * base.size:
            return ""
        if self._last is not None and word.x0 - self._last.x1 > 0.9 * base.size:
            return ""
        shift = (word.middle - base.middle) / base.size
        if abs(shift) < 0.12:
            return self._mark
        return "_" if shift > 0 else "^"

    def _close_script(self) -> None:
        if self._script:
            base = self._parts[-1].strip() if self._parts else ""
            footnote = self._mark == "^" and len(base) >= 4 and base[-1].isalpha() and not any(c.isalpha() for c in self._script)
            if not footnote and self._script not in ("∗", "†", "‡"):
                self._parts.append(self._mark + (self._script if len(self._script) == 1 else "{" + self._script + "}"))
        self._mark = self._script = ""

    def finish(self) -> str:
        self._close_script()
        return "".join(self._parts).strip()
