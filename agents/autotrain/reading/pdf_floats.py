"""Figures and tables of a PDF: their captions, the rows of tables, and the words inside figures, which are no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.autotrain.reading.hyphens import Vocabulary
from agents.autotrain.reading.pdf_document import Document
from agents.autotrain.reading.pdf_fonts import stem
from agents.autotrain.reading.pdf_geometry import Line
from agents.autotrain.reading.pdf_kinds import CAPTION, EQUATION_NUMBER, KNOWN, NUMBERED, is_caption, is_display, prose_words
from agents.autotrain.reading.pdf_tables import caption_lines, table_at
from agents.autotrain.reading.pieces import Grid, Paragraph, Piece


@dataclass(frozen=True)
class Floats:
    """Captions and tables by the index of their caption's first line, and all lines that are no running text."""

    pieces: dict[int, Piece]
    used: frozenset[int]


def floats(lines: Sequence[Line], doc: Document, vocabulary: Vocabulary) -> Floats:
    pieces: dict[int, Piece] = {}
    taken: set[int] = set()
    for i, line in enumerate(lines):
        match = CAPTION.match(line.text)
        if match is None or i in taken or not is_caption(line, lines[i - 1] if i else None):
            continue
        caption = caption_lines(lines, i)
        text = vocabulary.join([lines[c].text for c in caption])
        taken |= set(caption)
        if match["kind"].lower().startswith("tab"):
            table = table_at(lines, caption, doc.size, frozenset(taken))
            taken |= table.used
            pieces[i] = Grid(text, table.rows)
        else:
            taken |= _inside_figure(lines, caption[0], doc)
            pieces[i] = Paragraph(text)
    return Floats(pieces, frozenset(taken))


def _inside_figure(lines: Sequence[Line], caption: int, doc: Document) -> set[int]:
    """The lines above a figure's caption up to the nearest running text, heading or numbered equation."""
    head = lines[caption]
    above = [i for i, line in enumerate(lines) if line.page == head.page and line.bottom <= head.top + 1]
    above = [i for i in above if head.wide or lines[i].wide or lines[i].left == head.left]
    found: set[int] = set()
    for i in sorted(above, key=lambda i: -lines[i].top):
        if _is_text(lines[i], doc):
            break
        found.add(i)
    return found


def _is_text(line: Line, doc: Document) -> bool:
    """Whether the line belongs to the running text rather than to a drawing."""
    if KNOWN.match(line.text) or CAPTION.match(line.text) or (NUMBERED.match(line.text) and line.size > 0.99 * doc.size):
        return True
    if is_display(line, doc) and EQUATION_NUMBER.search(line.text):
        return True
    own_type = stem(line.font) == stem(doc.font) and line.size > 0.85 * doc.size
    if line.font == doc.font and abs(line.size - doc.size) < 0.1 and line.x0 - line.left < 0.4 * doc.size:
        return prose_words(line, doc.font) >= 1
    at_margin = line.x0 - line.left < 2.2 * doc.size
    return own_type and ((at_margin and prose_words(line, doc.font) >= 3) or prose_words(line, doc.font) >= 7 or line.bold)
