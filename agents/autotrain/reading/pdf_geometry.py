"""Lines and pages of a PDF: boxes in points from the page's top left corner."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from agents.autotrain.reading.pdf_fonts import is_bold, is_italic
from agents.autotrain.reading.pdf_text import line_text
from agents.autotrain.reading.pdf_word import SCRIPT_RATIO, Word, most_common


@dataclass(frozen=True)
class Page:
    width: float
    height: float
    words: tuple[Word, ...]
    bars: tuple[tuple[float, float, float], ...] = ()  # x0, x1, top of thin horizontal rules


@dataclass(frozen=True)
class Line:
    """Words of one line, left to right; `left` and `right` bound the column it stands in."""

    words: tuple[Word, ...]
    page: int
    left: float
    right: float
    wide: bool = False  # spans both columns of a two-column page

    @cached_property
    def size(self) -> float:
        """The size that most of its characters have."""
        return most_common(((w.size, len(w.text)) for w in self.words), 0.0)

    @cached_property
    def font(self) -> str:
        """The font that most of its characters have."""
        return most_common(((w.font, len(w.text)) for w in self.words), "")

    @cached_property
    def core(self) -> tuple[float, float]:
        """Top and bottom of the words of its main size, scripts excluded."""
        main = [w for w in self.words if w.size >= SCRIPT_RATIO * self.size] or list(self.words)
        return min(w.top for w in main), max(w.bottom for w in main)

    @cached_property
    def x0(self) -> float:
        return min(w.x0 for w in self.words)

    @cached_property
    def x1(self) -> float:
        return max(w.x1 for w in self.words)

    @property
    def top(self) -> float:
        return self.core[0]

    @property
    def bottom(self) -> float:
        return self.core[1]

    @cached_property
    def text(self) -> str:
        return line_text(self.words)

    @property
    def bold(self) -> bool:
        return all(is_bold(w.font) for w in self.words if any(c.isalpha() for c in w.text))

    @property
    def italic(self) -> bool:
        return all(is_italic(w.font) for w in self.words if any(c.isalpha() for c in w.text))

    @property
    def centred(self) -> bool:
        """Whether its margins on both sides of the column are alike and not nothing."""
        before, after = self.x0 - self.left, self.right - self.x1
        return before > 8 and after > 8 and abs(before - after) < 0.15 * (self.right - self.left)

    def cells(self, gap: float) -> tuple[tuple[Word, ...], ...]:
        """The words grouped where more than `gap` points separate them."""
        groups: list[list[Word]] = []
        end = 0.0
        for word in self.words:
            if groups and word.x0 - end <= gap:
                groups[-1].append(word)
            else:
                groups.append([word])
            end = max(end, word.x1) if len(groups[-1]) > 1 else word.x1
        return tuple(tuple(group) for group in groups)
