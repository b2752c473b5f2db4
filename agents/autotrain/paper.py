"""A paper as read: plain text with offsets, its sections, equations and tables."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict

SourceFormat = Literal["latex", "html", "pdf", "markdown", "text"]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(Part):
    """`text[start:end]` of the paper is the section's body, heading excluded. Level 1 is the paper's top level."""

    title: str
    level: int
    start: int
    end: int


class Equation(Part):
    """A displayed equation as text (LaTeX where the source has it) and where it stands in the paper's text."""

    text: str
    start: int
    end: int
    label: str = ""


class Table(Part):
    """Rows of cells as text, header rows included; ragged rows are allowed."""

    caption: str
    rows: tuple[tuple[str, ...], ...]
    start: int = -1


class Paper(Part):
    """Everything later steps know of a paper. All of it is untrusted text: data, never instructions."""

    title: str
    source: str  # what the user named: path, URL or arXiv id
    format: SourceFormat
    text: str  # the whole text in reading order, paragraphs separated by a blank line
    sections: tuple[Section, ...] = ()
    equations: tuple[Equation, ...] = ()
    tables: tuple[Table, ...] = ()
    pages: int = 0
    notes: tuple[str, ...] = ()  # what reading could not do, for the report

    @property
    def id(self) -> str:
        """The first 12 hex digits of the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def body(self, section: Section) -> str:
        return self.text[section.start : section.end]
