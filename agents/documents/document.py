"""A report as a document: sections of typed blocks, rendered to HTML and to Markdown from one source.

All text in blocks is raw; the renderers escape it. The one exception is `Figure.svg`, which `svg` builds from escaped parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from agents.documents.cleaning import clean

Tone = Literal["", "good", "bad", "muted", "warn"]


@dataclass(frozen=True)
class Cell:
    """A table's cell. `link` is an anchor within the document ("L12"); `number` cells align right."""

    text: str
    tone: Tone = ""
    number: bool = False
    link: str = ""


@dataclass(frozen=True)
class Table:
    """`rows` are as long as `headers`; the first cell of a row is its header."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Text:
    text: str
    tone: Tone = ""
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Items:
    """A list of short statements."""

    items: tuple[str, ...]
    kind: Literal["items"] = "items"


@dataclass(frozen=True)
class Quote:
    """Words of the paper, with what they are quoted for and where they stand."""

    text: str
    about: str
    place: str = ""
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True)
class Figure:
    """A plot. `description` says in words what it shows: it is the plot's alternative text, and what Markdown has of it."""

    title: str
    description: str
    svg: Markup
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True)
class Figures:
    """Plots side by side where there is room."""

    figures: tuple[Figure, ...]
    kind: Literal["figures"] = "figures"


@dataclass(frozen=True)
class Listing:
    """Code or console text. `numbered` lines can be linked to as "L1", "L2", ...: at most one such listing a document."""

    text: str
    label: str
    language: str = ""
    numbered: bool = False
    kind: Literal["listing"] = "listing"

    @property
    def lines(self) -> list[str]:
        """Lines as Python counts them: only a line feed ends one."""
        return clean(self.text).rstrip("\n").split("\n")


Flat = Table | Text | Items | Quote | Figures | Listing


@dataclass(frozen=True)
class Fold:
    """Blocks that are there but closed at first."""

    summary: str
    blocks: tuple[Flat, ...]
    kind: Literal["fold"] = "fold"


Block = Flat | Fold


@dataclass(frozen=True)
class Section:
    """`id` is its anchor."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """`badge` is the verdict in a word or two, `headline` the whole answer in one sentence, `kicker` what kind of page it is."""

    title: str
    badge: str
    tone: Tone
    headline: str
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = field(default=())
    kicker: str = "AgenticRS reproduction report"


def table(caption: str, headers: tuple[str, ...], rows: list[tuple[Cell | str, ...]]) -> Table:
    """A table from cells and plain strings. Raises `ValueError` for a ragged one."""
    if any(len(row) != len(headers) for row in rows):
        raise ValueError(f"the rows of {caption!r} are not all {len(headers)} cells long")
    return Table(caption, headers, tuple(tuple(c if isinstance(c, Cell) else Cell(c) for c in row) for row in rows))


def number(text: str, tone: Tone = "") -> Cell:
    return Cell(text, tone, number=True)
