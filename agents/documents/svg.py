"""Small plots as inline SVG, without a dependency: axes, lines, points, bars. Colours come from the page's style sheet.

Everything that is text goes through `escape`, so that a model called "<script>" is a label and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from agents.documents.cleaning import clean

WIDTH = 440  # of the drawing; narrow, so that labels are still readable when a phone shows it at 360 pixels
SERIES = 6  # colours in the style sheet: classes s0 (the candidate) to s5

Point = tuple[float, float]


@dataclass
class Canvas:
    """A drawing with a plot area. Data coordinates map to the area; `left` leaves room for labels."""

    height: int
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    left: int = 52
    right: int = 14
    top: int = 10
    bottom: int = 40
    parts: list[Markup] = field(default_factory=list)

    def x(self, value: float) -> float:
        low, high = self.x_range
        return round(self.left + (value - low) / ((high - low) or 1) * (WIDTH - self.left - self.right), 1)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return round(self.height - self.bottom - (value - low) / ((high - low) or 1) * (self.height - self.bottom - self.top), 1)

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "start") -> None:
        self.add('<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>', x, y, css, anchor, text)

    def line(self, a: Point, b: Point, css: str) -> None:
        """A straight line between two points of the drawing (not of the data)."""
        self.add('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>', *a, *b, css)

    def path(self, points: Sequence[Point], css: str) -> None:
        """A line through data points; fewer than two draw nothing."""
        if len(points) > 1:
            self.add('<polyline points="{}" class="{}"/>', " ".join(f"{self.x(x)},{self.y(y)}" for x, y in points), css)

    def dot(self, x: float, y: float, css: str, radius: float = 3, label: str = "") -> None:
        """A point of the drawing; `label` shows when one points at it."""
        self.add('<circle cx="{}" cy="{}" r="{}" class="{}"><title>{}</title></circle>', x, y, radius, css, label)

    def bar(self, x: float, y: float, width: float, height: float, css: str) -> None:
        self.add('<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>', x, y, max(round(width, 1), 0.5), height, css)

    def add(self, template: str, *values: object) -> None:
        self.parts.append(Markup(template).format(*(escape(clean(str(v))) for v in values)))

    def x_axis(self, label: str, digits: int | None = None, whole: bool = False, most: int = 5) -> None:
        base = self.height - self.bottom
        for value in ticks(*self.x_range, most=most, whole=whole):
            self.line((self.x(value), self.top), (self.x(value), base), "grid")
            self.text(self.x(value), base + 15, shown(value, digits, self.x_range), "tick", "middle")
        self.text((self.left + WIDTH - self.right) / 2, self.height - 6, label, "label", "middle")

    def y_axis(self, label: str, digits: int | None = None) -> None:
        for value in ticks(*self.y_range):
            self.line((self.left, self.y(value)), (WIDTH - self.right, self.y(value)), "grid")
            self.text(self.left - 5, self.y(value) + 4, shown(value, digits, self.y_range), "tick", "end")
        middle = (self.top + self.height - self.bottom) / 2
        self.add('<text transform="translate(11 {}) rotate(-90)" class="label" text-anchor="middle">{}</text>', middle, label)

    def drawn(self, id: str, title: str, description: str) -> Markup:
        """The finished drawing, with title and description for those who do not see it."""
        return Markup(
            '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d" xmlns="http://www.w3.org/2000/svg">'
            '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>'
        ).format(WIDTH, self.height, id, id, id, clean(title), id, clean(description), Markup("").join(self.parts))


def series(index: int) -> str:
    """The style class of the model at `index`, the candidate being 0; baselines share five colours in turn."""
    return f"s{index if index < SERIES else 1 + (index - 1) % (SERIES - 1)}"


def legend_rows(names: Sequence[str]) -> int:
    return -(-len(names) // _per_row(names))


def legend(canvas: Canvas, names: Sequence[str], top: float) -> None:
    """Names with their colours, in rows of 16 below `top`."""
    per_row = _per_row(names)
    width = (WIDTH - 16) / per_row
    for i, name in enumerate(names):
        x, y = round(8 + (i % per_row) * width, 1), top + 16 * (i // per_row)
        canvas.bar(x, y - 9, 10, 10, f"{series(i)} fill")
        canvas.text(x + 15, y, clipped(name, int(width / 7) - 2), "tick")


def _per_row(names: Sequence[str]) -> int:
    return 4 if max(map(len, names)) <= 12 else 2


def ticks(low: float, high: float, most: int = 5, whole: bool = False) -> list[float]:
    """Round values within [low, high], at most about `most`."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    step = max(1.0, math.ceil(step)) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def shown(value: float, digits: int | None, span: tuple[float, float]) -> str:
    """The value with as many decimals as the axis' span needs."""
    if digits is None:
        width = span[1] - span[0]
        digits = 0 if width <= 0 or width >= 10 else min(6, max(0, 1 - math.floor(math.log10(width))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text and digits > 1 and abs(value) < 1e-12 else text


def padded(values: Sequence[float], share: float = 0.08) -> tuple[float, float]:
    """The range of the values with some room on both sides."""
    low, high = min(values), max(values)
    room = (high - low) * share or abs(high) * 0.01 or 1.0
    return low - room, high + room


def clipped(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
