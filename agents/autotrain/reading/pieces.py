"""What every reader produces, pieces in reading order, and how pieces become a `Paper` whose offsets hold by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.autotrain.paper import Equation, Paper, Section, SourceFormat, Table
from agents.clean import one_line
from agents.errors import UnreadablePaper
from agents.secrets import without_secrets

MAX_CHARACTERS = 4_000_000  # about 1,000 pages of prose; more is not a paper


@dataclass(frozen=True)
class Heading:
    title: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Formula:
    text: str
    label: str = ""


@dataclass(frozen=True)
class Grid:
    caption: str
    rows: tuple[tuple[str, ...], ...]


Piece = Heading | Paragraph | Formula | Grid


@dataclass(frozen=True)
class Draft:
    """What a reader made of one source; `title` is "" when the source has none."""

    title: str
    pieces: tuple[Piece, ...]
    pages: int = 0
    notes: tuple[str, ...] = ()


def assemble(draft: Draft, source: str, format: SourceFormat) -> Paper:
    """Lays the pieces out as text, blank lines between them. A section's body ends where the next heading, of any level, begins.

    Tables stand in the text as their caption and one line per row, cells separated by " | ".
    Raises UnreadablePaper when no text is left.
    """
    layout = _Layout()
    title = one_line(draft.title)
    if title:
        layout.place(title)
    for piece in draft.pieces:
        layout.add(piece)
        if layout.length > MAX_CHARACTERS:
            raise UnreadablePaper(
                f"{shorten(source)} holds more text than any paper; give the paper alone, without data or code."
            )
    layout.close_section()
    if not any(char.isalpha() for piece in draft.pieces if not isinstance(piece, Heading) for char in _words(piece)):
        raise UnreadablePaper(f"{shorten(source)} contains no readable text; give a version of the paper with text in it.")
    return Paper(
        title=title or _first_words(draft.pieces),
        source=one_line(source),
        format=format,
        text="\n\n".join(layout.parts),
        sections=tuple(layout.sections),
        equations=tuple(layout.equations),
        tables=tuple(layout.tables),
        pages=draft.pages,
        notes=draft.notes,
    )


class _Layout:
    """The text so far, and where in it everything stands."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.sections: list[Section] = []
        self.equations: list[Equation] = []
        self.tables: list[Table] = []
        self._open: Heading | None = None
        self._body_start = 0

    def place(self, text: str) -> int:
        """Appends one block and returns its offset."""
        start = self.length + 2 if self.parts else 0
        self.parts.append(text)
        self.length = start + len(text)
        return start

    def add(self, piece: Piece) -> None:
        match piece:
            case Heading():
                self._add_heading(piece)
            case Paragraph():
                if text := one_line(piece.text):
                    self.place(text)
            case Formula():
                if text := one_line(piece.text):
                    start = self.place(text)
                    self.equations.append(Equation(text=text, start=start, end=start + len(text), label=one_line(piece.label)))
            case Grid():
                self._add_table(piece)

    def _add_heading(self, heading: Heading) -> None:
        if title := one_line(heading.title):
            self.close_section()
            self.place(title)
            self._open = Heading(title, max(1, heading.level))
            self._body_start = self.length

    def _add_table(self, grid: Grid) -> None:
        rows = tuple(tuple(one_line(cell) for cell in row) for row in grid.rows)
        rows = tuple(row for row in rows if any(row))
        caption = one_line(grid.caption)
        lines = ([caption] if caption else []) + [" | ".join(row) for row in rows]
        if lines:
            start = self.place("\n".join(lines))
            self.tables.append(Table(caption=caption, rows=rows, start=start))

    def close_section(self) -> None:
        if self._open is not None:
            start = min(self._body_start + 2, self.length)  # past the blank line, unless the section is empty
            self.sections.append(Section(title=self._open.title, level=self._open.level, start=start, end=self.length))
            self._open = None


def _words(piece: Piece) -> str:
    """All that the piece says."""
    if isinstance(piece, Grid):
        return " ".join([piece.caption, *(cell for row in piece.rows for cell in row)])
    return piece.title if isinstance(piece, Heading) else piece.text


def _first_words(pieces: Iterable[Piece]) -> str:
    """A stand-in title: the first line of text, cut at 120 characters."""
    for piece in pieces:
        if words := one_line(_words(piece)):
            return words if len(words) <= 120 else words[:119].rsplit(" ", 1)[0] + "…"
    return "Untitled"


def shorten(source: str, limit: int = 120) -> str:
    """A source's name for messages: printable, on one line, without secrets, its end kept when it is long."""
    line = without_secrets(one_line(source)) or "the source"
    return line if len(line) <= limit else "…" + line[-(limit - 1) :]


def headed(pieces: Sequence[Piece]) -> bool:
    """Whether any piece is a heading."""
    return any(isinstance(piece, Heading) for piece in pieces)
