"""What a paper says it proposes, phrase by phrase, and whether a recognised mechanism covers it.

A proposal is the thing that a sentence says the authors propose, design or introduce: "we design a *cross-supervised
feature translator*, which ...". What no mechanism covers is the part that the kit cannot build, and must be said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from agents.autotrain.builtin.matching import Match
from agents.autotrain.builtin.passages import Passage
from agents.autotrain.builtin.recognise import surety_of
from agents.autotrain.builtin.stance import Stance
from agents.autotrain.builtin.wording import Word
from agents.autotrain.paper import Paper
from agents.autotrain.reading.sections import Role

COVERED = 0.4  # a match of this surety makes a sentence part of a recognised mechanism
LONGEST = 70  # characters of a proposal's name
_ROLES: frozenset[Role] = frozenset({"abstract", "introduction", "method", "conclusion", "other"})

_PROPOSE = (
    r"(?:propos(?:e|es|ed)|present(?:s|ed)?|introduc(?:e|es|ed)|develop(?:s|ed)?|design(?:s|ed)?|devis(?:e|es|ed)|formulat(?:e|es|ed)|"
    r"construct(?:s|ed)?|establish(?:es|ed)?|put forward|describ(?:e|es|ed)|employ(?:s|ed)?|adopt(?:s|ed)?|leverag(?:e|es|ed)|"
    r"incorporat(?:e|es|ed)|utiliz(?:e|es|ed)|integrat(?:e|es|ed)|generat(?:e|es|ed))"
)
_ACTIVE = re.compile(rf"\b(?:we|paper|work|article|study|framework|model|approach|method|it)\b[^.;:]{{0,60}}?\b{_PROPOSE}\s+(?P<what>(?:an?|the|our|two|three|several|some)\s+[^.;:()]+)", re.IGNORECASE)  # fmt: skip
_PASSIVE = re.compile(r"(?:^|[,;:]\s+|\band\s+)(?P<what>(?:an?|the|our|two|three)\s+[^.;:()]{4,110}?)\s+(?:is|are|was|were)\s+(?:also\s+|further\s+|then\s+|first\s+)?(?:propos|design|introduc|develop|present|devis|includ|adopt|employ|implement|incorporat)\w*\b", re.IGNORECASE)  # fmt: skip
# Where the name of a thing ends and what is said of it begins.
_ENDS = re.compile(
    r"\s*(?:,|(?<!-)\b(?:which|that|who|whose|where|to|for|in order|by|so|named|called|namely|termed|with which|under|via|from|on top|at|as|is|are|"
    r"being|can|when|while|through|using|based|into|over|has|have|without|tailored|specifically|drawing|on)\b|—|–| - |\()",
    re.IGNORECASE,
)
_HOLLOW = frozenset(
    """a an the our two three several some new novel simple effective efficient general practical unified comprehensive innovative specific
    special framework model method approach network paradigm solution architecture algorithm idea concept technique strategy mechanism module
    component way both following proposed first deep neural learning training based named called ctr prediction click through rate recommendation
    recommender system systems variant variants version versions instance instances part parts key designed also and of""".split()
)


@dataclass(frozen=True)
class Proposal:
    """`name` is the paper's phrase, "" when the sentence gives none beyond the model's name; `weight` grows with its place."""

    passage: int
    name: str
    covered: bool
    start: int  # of the phrase in the paper's text
    end: int


def proposals(
    paper: Paper,
    passages: Sequence[Passage],
    stances: Sequence[Stance],
    matches: Sequence[Sequence[Match]],
    recognised: Collection[int],
) -> tuple[Proposal, ...]:
    """All proposals, in reading order. `recognised` are the cards that were recognised."""
    out: list[Proposal] = []
    for i, (passage, stance) in enumerate(zip(passages, stances, strict=True)):
        if not stance.proposes or stance.voice == "others" or passage.role not in _ROLES or passage.formula or passage.table:
            continue
        covered = any(m.card in recognised and surety_of(m, stance) >= COVERED for m in matches[i])
        spans = list(_named(paper.text, passage))
        out += [Proposal(i, paper.text[a:b], covered, a, b) for a, b in spans]
        if not spans:
            out.append(Proposal(i, "", covered, passage.start, passage.end))
    return tuple(out)


def _named(text: str, passage: Passage) -> Iterator[tuple[int, int]]:
    """Spans of the phrases that name what is proposed; phrases that say nothing ("a novel framework") are left out."""
    for pattern in (_ACTIVE, _PASSIVE):
        for match in pattern.finditer(text, passage.start, passage.end):
            start, end = match.span("what")
            stop = _ENDS.search(text, start + 1, end)
            end = stop.start() if stop else end
            inside = [w for w in passage.words if start <= w.start and w.end <= end]
            if _says_something(inside) and end - start <= LONGEST:
                yield start, end


def _says_something(words: Sequence[Word]) -> bool:
    return any(w.kind == "word" and w.low not in _HOLLOW and len(w.low) > 2 for w in words)
