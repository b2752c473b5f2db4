"""Cuts a paper into sentences with exact offsets, each knowing its section and the part that section plays."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from agents.autotrain.builtin.names import Names
from agents.autotrain.builtin.wording import Word, words_of
from agents.autotrain.paper import Paper
from agents.autotrain.reading.sections import Role, roles
from agents.autotrain.spec import Evidence

MAX_CHARACTERS = 400_000  # about 100 dense pages; what follows is not read
MAX_SENTENCE = 900  # longer runs are tables or lost punctuation, and are cut
ABSTRACT_WORDS = 700  # a text without headings and no longer than this is taken for an abstract

_PARAGRAPH = re.compile(r"\S(?:.*?\S)?(?=\s*\n[^\S\n]*\n|\s*\Z)", re.DOTALL)
_BOUNDARY = re.compile(
    r"(?<=[A-Za-z0-9)\]}$%\"”’'][.!?])(?:\s+(?=[A-Z\\(\"“$\[\d•])|(?=[A-Z][a-z]+\s))|(?<=[.!?][)\"”’'])\s+(?=[A-Z\\])"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|et al|etc|vs|cf|resp|w\.r\.t|approx|[Ff]igs?|[Ee]qs?|[Ss]ecs?|[Tt]abs?|[Rr]efs?|[Dd]r|[Pp]rof|St|No|Inc|Corp)|(?<![\w-])[A-Z])\.$"
)
_BREAK = re.compile(r"[;:,]\s|\s")


@dataclass(frozen=True)
class Passage:
    """One sentence: `text[start:end]` of the paper. `words` have their own offsets into the same text."""

    start: int
    end: int
    role: Role
    section: str
    words: tuple[Word, ...]
    formula: bool = False  # lies in a displayed equation
    table: bool = False

    def evidence(self, paper: Paper) -> Evidence:
        return Evidence(quote=paper.text[self.start : self.end], section=self.section, start=self.start, end=self.end)


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of `text[start:end]`; no sentence crosses a blank line, none begins or ends with a space."""
    end = len(text) if end is None else end
    for paragraph in _PARAGRAPH.finditer(text, start, end):
        at = paragraph.start()
        for boundary in _BOUNDARY.finditer(text, paragraph.start(), paragraph.end()):
            if boundary.start() > at and not _ABBREVIATION.search(text, max(at, boundary.start() - 12), boundary.start()):
                yield from _pieces(text, at, boundary.start())
                at = boundary.end()
        yield from _pieces(text, at, paragraph.end())


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span, cut near `MAX_SENTENCE` characters where it is too long."""
    while end - start > MAX_SENTENCE:
        marks = [m.start() + 1 for m in _BREAK.finditer(text, start + MAX_SENTENCE // 2, start + MAX_SENTENCE)]
        cut = marks[-1] if marks else start + MAX_SENTENCE
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end


def _blocks(paper: Paper) -> Iterator[tuple[int, int, Role, str]]:
    """Stretches of the text with one role each: what stands before the first heading, then the sections' bodies."""
    end = min(len(paper.text), MAX_CHARACTERS)
    known = roles(paper)
    if not known:
        short = len(paper.text.split()) <= ABSTRACT_WORDS
        yield 0, end, "abstract" if short else "other", ""
        return
    first = min(section.start for section, _ in known)
    # Between the title and the first heading stand the authors, and in many plain texts the abstract.
    opening: Role = "other" if any(role == "abstract" for _, role in known) else "abstract"
    yield 0, min(first, end), opening, ""
    for section, role in known:
        if section.start < end:
            yield section.start, min(section.end, end), role, section.title


def passages_of(paper: Paper, names: Names) -> tuple[Passage, ...]:
    """The sentences of all sections but the references, in reading order; the title and own names are masked words."""
    masked = sorted([*names.own, *names.title])
    starts = [m[0] for m in masked]
    formulas = _covered([(e.start, e.end) for e in paper.equations])
    tables = _covered([(t.start, t.start + _length(t.caption, t.rows)) for t in paper.tables if t.start >= 0])
    out: list[Passage] = []
    for block_start, block_end, role, section in _blocks(paper):
        if role == "references":
            continue
        for start, end in sentences(paper.text, block_start, block_end):
            near = masked[max(0, bisect_right(starts, start) - 1) : bisect_right(starts, end)]
            inside = [(max(start, a), min(end, b)) for a, b in near if a < end and b > start]
            words = words_of(paper.text, start, end, inside)
            out.append(Passage(start, end, role, section, words, _inside(formulas, start), _inside(tables, start)))
    return tuple(out)


def _length(caption: str, rows: tuple[tuple[str, ...], ...]) -> int:
    """How many characters a table takes in the text: its caption and one line a row, cells joined by " | "."""
    lines = ([caption] if caption else []) + [" | ".join(row) for row in rows]
    return sum(len(line) + 1 for line in lines)


def _covered(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(s for s in spans if s[1] > s[0] >= 0)


def _inside(spans: list[tuple[int, int]], offset: int) -> bool:
    i = bisect_right(spans, (offset, 1 << 60)) - 1
    return i >= 0 and spans[i][0] <= offset < spans[i][1]
