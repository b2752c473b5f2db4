"""Real papers: what a person sees in them is found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from shared_data import need_shared

from agents.autotrain.paper import Paper
from agents.autotrain.reading import find_quote, read_paper, roles

# pages, sections at least, numbered equations, tables, and a sentence that runs over a line, column or page break
EXPECTED = {
    "dcn": (7, 20, set("12345679"), 4, "This efficiency benefits from the rank-one property"),
    "deepfm": (
        8,
        20,
        set("1234"),
        2,
        "FM models pairwise (order-2) feature interactions as inner product of respective feature latent vectors",
    ),
    "esmm": (4, 13, set("123"), 2, "ESMM treats pCVR as an intermediate variable which multiplied by pCTR equals to pCTCVR"),
    "pnn": (6, 16, {str(n) for n in range(1, 15)}, 3, "PNN uses product layers to explore feature interactions"),
    "wide-and-deep": (4, 18, set("123"), 2, "the wide part only needs to complement the weaknesses of the deep part"),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_published_papers(name: str, tmp_path: Path, check_offsets: Callable[[Paper], None]) -> None:
    path = need_shared(f"papers/pdf/{name}.pdf")
    pages, sections, equations, tables, sentence = EXPECTED[name]
    start = time.monotonic()
    paper = read_paper(str(path), tmp_path)
    assert time.monotonic() - start < 60
    check_offsets(paper)
    assert paper.pages == pages
    assert len(paper.sections) >= sections
    assert equations <= {equation.label for equation in paper.equations}
    assert len(paper.tables) == tables
    assert all(len(table.rows) >= 2 for table in paper.tables)
    found = {role for _, role in roles(paper)}
    assert {"abstract", "introduction", "method", "experiments", "conclusion", "references"} <= found
    assert find_quote(paper, sentence) is not None
    assert "(cid:" not in paper.text


def test_abstracts(tmp_path: Path, check_offsets: Callable[[Paper], None]) -> None:
    files = sorted(need_shared("papers/abstracts").glob("*.txt"))
    assert files
    for path in files:
        paper = read_paper(str(path), tmp_path)
        check_offsets(paper)
        assert paper.title
        assert [s.title for s in paper.sections] == ["Abstract"]
        assert len(paper.body(paper.sections[0])) > 500
