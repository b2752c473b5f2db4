"""Fixtures: PDFs made of columns of words, and the invariants that every paper read must keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from simple_pdf import Mark, write_pdf

from agents.autotrain.paper import Paper


def column(lines: Sequence[str], x: float, y: float, size: float = 10, step: float = 12, font: str = "roman") -> list[Mark]:
    """Lines below one another."""
    return [(x, y + n * step, line, size, font) for n, line in enumerate(lines)]


@pytest.fixture
def make_pdf(tmp_path: Path) -> Callable[..., Path]:
    def make(*pages: Sequence[Mark], name: str = "paper.pdf") -> Path:
        return write_pdf(tmp_path / name, pages)

    return make


@pytest.fixture
def stack() -> Callable[..., list[Mark]]:
    return column


@pytest.fixture
def check_offsets() -> Callable[[Paper], None]:
    return holds


def holds(paper: Paper) -> None:
    """Offsets lie in the text, sections are in order and do not overlap, equations and captions stand where they are said to."""
    end = 0
    for section in paper.sections:
        assert end <= section.start <= section.end <= len(paper.text)
        assert section.level >= 1
        assert section.title in paper.text[: section.start]
        end = section.end
    for equation in paper.equations:
        assert 0 <= equation.start <= equation.end <= len(paper.text)
        assert paper.text[equation.start : equation.end] == equation.text
    for table in paper.tables:
        assert 0 <= table.start <= len(paper.text)
        assert paper.text[table.start :].startswith(table.caption)
    assert not any(char in paper.text for char in "\x00\x1b\u202e\u200b\ufeff\r")
