"""What part a section plays in a paper (method, experiments, related work, ...), told from its heading and its place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Literal

from agents.autotrain.paper import Paper, Section

Role = Literal["abstract", "introduction", "related", "method", "experiments", "conclusion", "references", "appendix", "other"]

# A leading number of a heading: "3", "3.1.", "IV.", "A.2", "Section 4:", "Appendix" aside.
_NUMBER = re.compile(
    r"^\s*(?:§+\s*|(?:section|sec\.|chapter)\s+)?(?:\d+(?:\.\d+)*\.?|[IVXLC]+[.)]|[A-Z](?:\.\d+)+\.?|[A-Z][.)])[\s:.\u2014-]+(?=\S)",
    re.IGNORECASE,
)
_APPENDIX_LETTER = re.compile(r"^\s*[A-Z](?:\.\d+)*\.?\s+(?=[A-Z])")

# In order: the first pattern found decides, so the more telling words stand first.
_PATTERNS: tuple[tuple[Role, str], ...] = (
    ("abstract", r"^(?:abstract|summary|extended abstract)\b"),
    ("references", r"^(?:references?|bibliography|works? cited|literature cited)\b"),
    ("appendix", r"^(?:appendi(?:x|ces)|supplement\w*)\b"),
    (
        "related",
        r"\brelated (?:works?|stud\w+|research|literature|methods?|models?)\b|\b(?:prior|previous) (?:works?|arts?|stud\w+)\b",
    ),
    ("related", r"\bliterature (?:reviews?|surveys?)\b"),
    (
        "related",
        r"\b(?:relations?(?:hips?)?|connections?|differences?|comparisons?|links?) (?:with|to|from|between)\b",
    ),
    ("introduction", r"^(?:introductions?|motivations?|overview and motivation)\b|\bintroduction$"),
    (
        "experiments",
        r"\b(?:experiment\w*|evaluations?|empirical\w*|results?|ablations?|case stud(?:y|ies)|data ?sets?|baselines?)\b",
    ),
    (
        "experiments",
        r"\b(?:implementation details|a/?b[ -]?tests?(?:ing)?|reproducibility|research questions?|rq ?\d|sensitivity)\b",
    ),
    (
        "experiments",
        r"\b(?:performance|efficiency) (?:comparisons?|stud\w+|analysis)\b|\bhyper-?parameter (?:study|analysis|sensitivity)\b",
    ),
    ("experiments", r"\bonline (?:deployment|serving|performance)\b|\bdeployment\b"),
    ("conclusion", r"\b(?:conclusions?|concluding|future (?:works?|directions?)|discussions?|limitations?|outlook)\b"),
    (
        "other",
        r"^(?:acknowledge?ments?|ethic\w*|broader impact|author contributions?|funding|keywords|ccs concepts|categories and)\b",
    ),
    ("other", r"^(?:index terms|general terms|conflicts? of interest|disclosures?|(?:code |data )?availability|contents)\b"),
    (
        "method",
        r"\b(?:method(?:s|olog\w+)?|approach(?:es)?|models?|framework|architectures?|algorithms?|preliminar(?:y|ies)|problem)\b",
    ),
    (
        "method",
        r"\b(?:formulations?|formali[sz]ation|notations?|definitions?|propos(?:ed|al)|design|networks?|layers?|modules?|components?)\b",
    ),
    (
        "method",
        r"\b(?:embeddings?|training|learning|optimi[sz]ation|objectives?|loss(?:es)?|inference|predictions?|complexity|towers?)\b",
    ),
    (
        "method",
        r"\b(?:encoders?|decoders?|attention|extractors?|our|machines?|systems?|overview|interactions?|representations?|background)\b",
    ),
    ("method", r"\b(?:joint|pre-?training|fine-?tuning|theor(?:y|etical)\w*|analysis|derivations?)\b"),
)
_CUES = tuple((role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _PATTERNS)
_PLAIN = re.compile(
    r"(?:related|prior|previous|experiment\w*|evaluation|data ?sets?|baselines?|ablations?)\b(?: \w+)?$"
    r"|(?:relations?(?:hips?)?|connections?|differences?|comparisons?|links?) (?:with|to|from|between)\b",
    re.IGNORECASE,
)


def bare_title(title: str) -> str:
    """The heading without its number and trailing punctuation."""
    bare = _NUMBER.sub("", title)
    if bare == title:
        bare = _APPENDIX_LETTER.sub("", title)
    return " ".join(bare.split()).strip(" .:;\u2014-") or title.strip()


def _cue(title: str) -> Role | None:
    """The role that the heading's own words name, if any."""
    bare = bare_title(title)
    return next((role for role, pattern in _CUES if pattern.search(bare)), None)


def section_role(title: str, index: int | None = None, total: int | None = None, parent: Role | None = None) -> Role:
    """The part that a section called `title` plays.

    `index` of `total` is its place among the top-level sections and decides for headings without a telling word:
    a model's bare name in the middle of a paper is the method. `parent` is the role of the enclosing section, which
    a sub-section inherits; only a plain "Experiments" or "Related work" inside the method or the introduction stands for itself.
    """
    own = _cue(title)
    if parent is not None and parent != "other":
        stands_alone = (
            parent in ("method", "introduction") and own in ("experiments", "related") and _PLAIN.match(bare_title(title))
        )
        return own if stands_alone and own else parent
    if own is None and index is not None and total is not None and 0 < index < total - 1:
        return "method"
    return own or "other"


def roles(paper: Paper) -> tuple[tuple[Section, Role], ...]:
    """Every section with its role, in the order of the paper; sub-sections inherit.

    An unnamed top-level section is the method when it stands between the introduction and the experiments; every
    section after the references, or after a heading "Appendix", is an appendix whatever it is called.
    """
    top_level = min((s.level for s in paper.sections), default=1)
    found: list[tuple[Section, Role]] = []
    parents: list[tuple[int, Role]] = []  # enclosing headings, outermost first
    place = _method_places(paper.sections, top_level)
    past_end = False
    for i, section in enumerate(paper.sections):
        while parents and parents[-1][0] >= section.level:
            parents.pop()
        role = section_role(section.title, parent=parents[-1][1] if parents else None)
        if i in place:
            role = "method"
        if past_end and role != "references":
            role = "appendix"
        past_end = past_end or (section.level == top_level and role in ("references", "appendix"))
        parents.append((section.level, role))
        found.append((section, role))
    return tuple(found)


def _method_places(sections: Sequence[Section], top_level: int) -> frozenset[int]:
    """Indices of the top-level sections without a telling heading that stand where a method stands."""
    tops = [(i, _cue(s.title)) for i, s in enumerate(sections) if s.level == top_level]
    first = next((i for i, role in tops if role == "introduction"), -1)
    last = next((i for i, role in tops if i > first and role in ("experiments", "conclusion", "references")), None)
    if last is None:
        return frozenset()
    return frozenset(i for i, role in tops if role is None and first < i < last)


def role_at(paper: Paper, offset: int, known: Sequence[tuple[Section, Role]] | None = None) -> Role:
    """The role of the section whose heading or body holds `text[offset]`; "other" for the title and the authors.

    `known` is the result of `roles(paper)`, passed by callers that ask often.
    """
    by_start = roles(paper) if known is None else known
    heading_starts = [_heading_start(paper, section) for section, _ in by_start]
    place = bisect_right(heading_starts, offset) - 1
    return by_start[place][1] if place >= 0 else "other"


def _heading_start(paper: Paper, section: Section) -> int:
    """Where the heading that opens the section begins; the body's start when the text does not show the heading before it."""
    at = paper.text.rfind(section.title, max(0, section.start - len(section.title) - 4), section.start)
    return at if at >= 0 else section.start


def section_at(paper: Paper, offset: int) -> Section | None:
    """The section whose body holds `text[offset]`, or None for the title, the authors and headings."""
    return next((s for s in paper.sections if s.start <= offset < s.end), None)


def texts_by_role(paper: Paper) -> Mapping[Role, str]:
    """The bodies of each role's sections, joined in the order of the paper."""
    joined: dict[Role, list[str]] = {}
    for section, role in roles(paper):
        joined.setdefault(role, []).append(paper.body(section))
    return {role: "\n\n".join(parts) for role, parts in joined.items()}
