"""Recorded exchanges without the papers' sentences: a passage of a paper is kept as its place, and put back where the paper is.

A place stands as ⟦start:end⟧ of `Paper.text`, as it is there or as JSON writes it (⟦"start:end⟧).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

SHORTEST = 24  # characters that are taken for the paper's
_PLACE = re.compile(r'⟦("?)(\d+):(\d+)⟧')


def elide(text: str, paper: str) -> str:
    """The text with every passage of the paper, plain or as JSON has it, replaced by its place."""
    for mark, written in (("", _plain), ('"', _in_json)):
        text = _elided(text, paper, mark, written)
    return text


def restore(text: str, paper: str) -> str:
    """What `elide` was given."""
    return _PLACE.sub(lambda m: (_in_json if m[1] else _plain)(paper[int(m[2]) : int(m[3])]), text)


def _plain(passage: str) -> str:
    return passage


def _in_json(passage: str) -> str:
    return json.dumps(passage, ensure_ascii=False)[1:-1]


def _elided(text: str, paper: str, mark: str, written: Callable[[str], str]) -> str:
    starts: dict[str, int] = {}
    for i in range(len(paper) - SHORTEST, -1, -1):
        starts[written(paper[i : i + SHORTEST])[:SHORTEST]] = i
    kept, i = [], 0
    while i < len(text):
        start = starts.get(text[i : i + SHORTEST])
        end = start + _reach(text, i, paper, start, written) if start is not None else 0
        if start is None or end - start < SHORTEST:
            kept.append(text[i])
            i += 1
            continue
        kept.append(f"⟦{mark}{start}:{end}⟧")
        i += len(written(paper[start:end]))
    return "".join(kept)


def _reach(text: str, i: int, paper: str, start: int, written: Callable[[str], str]) -> int:
    """How many characters of the paper from `start` on stand in the text from `i` on."""
    n = 0
    while start + n < len(paper):
        said = written(paper[start + n])
        if not text.startswith(said, i):
            return n
        i += len(said)
        n += 1
    return n
