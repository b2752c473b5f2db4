"""A paper for a window of limited size: whole sections are left out, those first that say least of the method."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from agents.autotrain.paper import Paper
from agents.autotrain.reading.sections import Role, roles
from agents.llm.fence import fenced

# What is left out first. Results come late in it: claims are read from them.
LEAST_TELLING: tuple[Role, ...] = (
    "references",
    "appendix",
    "related",
    "other",
    "introduction",
    "conclusion",
    "experiments",
    "abstract",
    "method",
)


@dataclass(frozen=True)
class _Piece:
    """A section with its heading, or what stands before the first one."""

    title: str
    role: Role
    text: str


def paper_as_data(paper: Paper, room: int) -> str:
    """The paper between its tags, in about `room` characters; a closing tag in its text cannot end it early."""
    return fenced("paper", excerpt(paper, room))


def excerpt(paper: Paper, room: int) -> str:
    """The text if it fits; else without the least telling sections, each named where it stood; at last, its beginning."""
    if len(paper.text) <= room:
        return paper.text
    pieces = _pieces(paper)
    order = sorted(range(len(pieces)), key=lambda i: (LEAST_TELLING.index(pieces[i].role), -i))
    left_out: set[int] = set()
    for i in order[:-1]:
        if len(_joined(pieces, left_out)) <= room:
            break
        left_out.add(i)
    text = _joined(pieces, left_out)
    return text if len(text) <= room else f"{text[:room]}\n(The rest was left out for length.)"


def _joined(pieces: list[_Piece], left_out: set[int]) -> str:
    return "\n\n".join(f"(“{p.title}” was left out for length.)" if i in left_out else p.text for i, p in enumerate(pieces))


def _pieces(paper: Paper) -> list[_Piece]:
    found = roles(paper)
    starts = [max(0, paper.text.rfind(s.title, 0, s.start)) if s.title else s.start for s, _ in found]
    bounds = [*starts, len(paper.text)]
    front = paper.text[: bounds[0]]
    pieces = [_Piece("the beginning", "abstract", front.strip())] if front.strip() else []
    cut = zip(found, pairwise(bounds), strict=True)
    return pieces + [_Piece(s.title, role, paper.text[start:end].strip()) for (s, role), (start, end) in cut if end > start]
