"""Lines of prose to paragraphs: where a paragraph of a PDF begins."""

from __future__ import annotations

import re

from agents.autotrain.reading.pdf_fonts import is_bold
from agents.autotrain.reading.pdf_geometry import Line

_ITEM = re.compile(r"^(?:[•◦▪‣∙–]\s|\[\d{1,3}\]|\(\d{1,2}\)\s|\d{1,2}[.)]\s)")
_BULLET = re.compile(r"^[•◦▪‣∙]\s")
_REFERENCE = re.compile(r"^\[[^\]]{1,60}\](?=\s)")


def begins_paragraph(line: Line, before: Line | None, size: float, references: bool = False) -> bool:
    """Whether a new paragraph begins with the line; `before` is the line of prose read before it."""
    if before is None or _BULLET.match(line.text) or (references and _REFERENCE.match(line.text)):
        return True
    short = before.x1 < before.right - 2.5 * size
    ended = before.text.endswith((".", "!", "?", ":", ".”", ".)", "]"))
    same_column = line.page == before.page and line.left == before.left and line.top > before.top
    indented = line.x0 - line.left > 0.6 * size
    if not same_column:
        return (indented and ended) or (short and ended)
    if line.top - before.top > 1.9 * size:
        return True
    if ended and is_bold(line.words[0].font) and not line.bold and not before.bold:
        return True  # a heading run into its paragraph
    if short and ended and _ITEM.match(line.text):
        return True
    moved_right = line.x0 - before.x0 > 0.6 * size and not _ITEM.match(before.text)
    return (moved_right and indented and ended) or (short and ended and line.x0 - line.left < 2.5 * size)
