"""One word of a PDF, and the most common of many values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from agents.autotrain.reading.pdf_fonts import hangs

T = TypeVar("T")
SCRIPT_RATIO = 0.86  # sub- and superscripts are set at most this much of their base's size


def most_common(weighted: Iterable[tuple[T, int]], default: T) -> T:
    """The value of most total weight, the first seen among equals; `default` when there is none."""
    weights: Counter[T] = Counter()
    for value, weight in weighted:
        weights[value] += weight
    return weights.most_common(1)[0][0] if weights else default


@dataclass(frozen=True)
class Word:
    """Characters without a gap, of one font; `baseline` in points from the page's top."""

    x0: float
    x1: float
    baseline: float
    text: str
    font: str
    size: float

    @cached_property
    def top(self) -> float:
        """Of the nominal box, which begins three quarters of the type size above the baseline in every font."""
        return self.bottom - self.size

    @cached_property
    def bottom(self) -> float:
        # Characters of extension fonts hang from the baseline; this puts the middle of a usual one on the line's axis.
        return self.baseline + (1.2 if self.hanging else 0.25) * self.size

    @cached_property
    def hanging(self) -> bool:
        return hangs(self.font) or self.text == "√"

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2
