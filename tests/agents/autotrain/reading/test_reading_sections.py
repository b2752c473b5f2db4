"""Roles of sections: from the heading's words, from its place, from the section around it."""

from __future__ import annotations

import pytest

from agents.autotrain.paper import Paper
from agents.autotrain.reading.pieces import Draft, Heading, Paragraph, Piece, assemble
from agents.autotrain.reading.sections import role_at, roles, section_role


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("Abstract", "abstract"),
        ("1 Introduction", "introduction"),
        ("I. INTRODUCTION", "introduction"),
        ("2. Related Work", "related"),
        ("Literature review", "related"),
        ("Our Approach", "method"),
        ("3 Preliminaries", "method"),
        ("III. The proposed framework", "method"),
        ("Problem Formulation", "method"),
        ("4 Methodology", "method"),
        ("Experimental Setup", "experiments"),
        ("5 EXPERIMENTS", "experiments"),
        ("Online A/B Testing", "experiments"),
        ("Evaluation Results", "experiments"),
        ("6 Conclusion and Future Work", "conclusion"),
        ("Limitations", "conclusion"),
        ("REFERENCES", "references"),
        ("Bibliography", "references"),
        ("Appendix A. Proofs", "appendix"),
        ("Acknowledgments", "other"),
        ("Zebra", "other"),
    ],
)
def test_role_of_a_heading(title: str, role: str) -> None:
    assert section_role(title) == role


def test_place_decides_for_a_bare_name() -> None:
    assert section_role("FooNet", 2, 5) == "method"
    assert section_role("FooNet", 0, 5) == "other"


def _paper(*headings: tuple[str, int]) -> Paper:
    pieces: list[Piece] = [Paragraph("Ann and Bob")]
    for title, level in headings:
        pieces += [Heading(title, level), Paragraph(f"Body of {title}.")]
    return assemble(Draft("A title", tuple(pieces)), "x.txt", "text")


def test_subsections_inherit_and_plain_ones_stand_alone() -> None:
    paper = _paper(
        ("Introduction", 1),
        ("Related Work", 2),
        ("Contributions", 2),
        ("FooNet", 1),
        ("Gate results", 2),
        ("Deep part", 3),
        ("Datasets", 2),
        ("Experiments", 1),
        ("Model analysis", 2),
        ("Conclusion", 1),
        ("References", 1),
        ("Proof of Theorem 1", 1),
    )
    assert [role for _, role in roles(paper)] == [
        *("introduction", "related", "introduction", "method", "method", "method", "experiments"),
        *("experiments", "experiments", "conclusion", "references", "appendix"),
    ]


def test_role_at_covers_headings_bodies_and_front_matter() -> None:
    paper = _paper(("Introduction", 1), ("Our model", 1))
    assert role_at(paper, 0) == "other"
    assert role_at(paper, paper.text.index("Ann")) == "other"
    assert role_at(paper, paper.text.index("Our model")) == "method"
    assert role_at(paper, paper.text.index("Body of Introduction")) == "introduction"
    assert role_at(paper, len(paper.text)) == "method"
