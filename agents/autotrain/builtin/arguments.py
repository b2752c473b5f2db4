"""Reads the arguments of a recognised block from the paper: "three cross layers", "the number of experts is set to 8"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.autotrain.builtin.numbers import LIST, NUMBER, number, whole, widths
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.paper import Paper
from sandboxes.kit.card import Argument, Card

Value = int | float | bool | str | list[int]

_AFTER = r"s?\b(?:[^.;:()\d]{0,40}?(?:\bto\b|\bis\b|\bare\b|\bof\b|\bas\b|\bbe\b|=|:)|\s*\(?)\s*"
_SEARCHED = re.compile(
    r"\b(?:search\w*|grid|rang(?:e|es|ing)|var(?:y|ied|ying)|among|select\w* from|chosen from)\b", re.IGNORECASE
)


def read_arguments(
    paper: Paper, passages: Sequence[Passage], stances: Sequence[Stance], card: Card
) -> tuple[dict[str, Value], tuple[int, ...]]:
    """The stated arguments of a card, and the passages that state them."""
    values: dict[str, Value] = {}
    said: list[int] = []
    for argument in card.arguments:
        patterns = tuple(_patterns(argument))
        for i, (passage, stance) in enumerate(zip(passages, stances, strict=True)):
            if passage.formula or passage.role in ("related", "introduction", "references") or stance.voice == "others":
                continue
            text = paper.text[passage.start : passage.end]
            value = None if _SEARCHED.search(text) else _value(text, argument, patterns)
            if value is not None:
                values[argument.name] = value
                said.append(i)
                break
    return values, tuple(dict.fromkeys(said))


def _patterns(argument: Argument) -> Iterator[re.Pattern[str]]:
    kind = LIST if isinstance(argument.default, tuple) else NUMBER
    for phrase in sorted(argument.phrases, key=len, reverse=True):
        words = r"[\s-]+".join(re.escape(w) for w in phrase.split())
        yield re.compile(rf"\b{words}{_AFTER}(?P<value>{kind})", re.IGNORECASE)
        # "three cross layers": the number stands right before the counted thing.
        counted = re.sub(r"^(?:the\s+)?(?:number|amount|count)\s+of\s+(?:the\s+)?", "", phrase, flags=re.IGNORECASE)
        if isinstance(argument.default, int) and not isinstance(argument.default, bool):
            thing = r"[\s-]+".join(re.escape(w) for w in counted.split())
            yield re.compile(rf"(?<![\w.\[])(?P<value>{NUMBER})[\s-]+(?:\w+[\s-]+)?{thing}(?!\s*\d)", re.IGNORECASE)


def _value(text: str, argument: Argument, patterns: Sequence[re.Pattern[str]]) -> Value | None:
    """The first value in range; numbers only, since words in prose are too easily misread."""
    if isinstance(argument.default, bool | str):
        return None
    for pattern in patterns:
        match = pattern.search(text)
        if not match:
            continue
        if isinstance(argument.default, tuple):
            return widths(match.group("value"))
        value = number(match.group("value"))
        if value is None or not _in_range(value, argument):
            continue
        if isinstance(argument.default, int):
            if value == int(value):
                return int(value)
        else:
            return float(whole(value))
    return None


def _in_range(value: float, argument: Argument) -> bool:
    low = argument.low if argument.low is not None else (1 if isinstance(argument.default, int) else 0.0)
    high = argument.high if argument.high is not None else 10_000
    return low <= value <= high
