"""What a line of a PDF is: heading, caption, displayed equation, footnote or prose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.autotrain.reading.pdf_document import Document
from agents.autotrain.reading.pdf_fonts import is_math_font, is_symbolic
from agents.autotrain.reading.pdf_geometry import Line

NUMBERED = re.compile(
    r"^(?P<number>\d{1,2}(?:\.\d{1,2}){0,3}\.?|[IVX]{1,5}\.|[A-H](?:\.\d{1,2})+\.?|[A-H]\.|[A-H](?=\s+[A-Z]{3}))\s+(?=[^\W\d_])"
)
_TITLES = (
    "abstract|summary|introduction|related works?|background|preliminar(?:y|ies)|methods?|methodology|experiments?",
    "evaluation|results?|discussions?|conclusions?(?: and future (?:work|directions))?|references|bibliography",
    "acknowledge?ments?|appendix|appendices|keywords|ccs concepts|acm reference format:?|general terms|index terms",
    "categories and subject descriptors",
)
KNOWN = re.compile(rf"^(?:{'|'.join(_TITLES)})\b[.:]?$", re.IGNORECASE)
APPENDIX = re.compile(r"^(?:appendix|appendices|supplement\w*)\b.{0,80}$", re.IGNORECASE)
CAPTION = re.compile(
    r"^(?P<kind>fig(?:ure|\.)|table|tab\.|algorithm)\s*(?P<number>\d{1,3}|[IVXL]{1,6})\s*(?P<end>[:.|—–-]|$)", re.IGNORECASE
)
EQUATION_NUMBER = re.compile(r"\s*\((\d{1,3}(?:\.\d{1,3})?[a-z]?|[A-H]\.?\d{1,3})\)$")
RUN_IN = re.compile(r"^(?P<title>abstract|index terms|keywords?|summary)\s*(?:[—–:.]|-(?=\s?[A-Z]))\s*(?=\S)", re.IGNORECASE)
PROSE = re.compile(r"[A-Za-z]{3,}")


def prose_words(line: Line, font: str) -> int:
    """How many words of three letters or more stand in text type."""
    return sum(len(PROSE.findall(w.text)) for w in line.words if not is_math_font(w.font, font))


def math_share(line: Line, font: str) -> float:
    """The share of characters set in mathematical type or belonging to signs."""
    total = sum(len(w.text) for w in line.words)
    math = sum(
        len(w.text)
        for w in line.words
        if is_math_font(w.font, font) or is_symbolic(w.text) or w.text.isdigit() or len(w.text) == 1
    )
    return math / max(1, total)


def is_caption(line: Line, before: Line | None) -> bool:
    """Whether a figure's or table's caption begins here, and not a sentence that happens to break before "Figure 2."."""
    match = CAPTION.match(line.text)
    if match is None:
        return False
    if before is None or before.page != line.page or before.left != line.left:
        return True
    runs_on = 0 < line.top - before.top < 1.5 * line.size and before.font == line.font and before.size == line.size
    return not (runs_on and before.x1 > before.right - 3 * line.size and not before.text.endswith("."))


def is_display(line: Line, doc: Document) -> bool:
    """Whether the line is (the main row of) a displayed equation: mathematics, set off from the margin or numbered."""
    words, share = prose_words(line, doc.font), math_share(line, doc.font)
    if line.size < 0.6 * doc.size or not any(c in "=≈∈≤≥<>→∑∏∫×+−·∼∝⊙⟨‖|{[(" for c in line.text):
        return False
    numbered = EQUATION_NUMBER.search(line.text) is not None and line.x1 > line.right - 2 * doc.size
    if numbered and len(line.words) > 2 and line.words[-1].x0 - line.words[-2].x1 > 0.8 * doc.size:
        return share > 0.3 and words <= 6
    if numbered and "=" in line.text and share > 0.5 and words <= 5:
        return True
    return line.x0 - line.left > 0.4 * doc.size and share > 0.55 and words <= 3 and len(line.text) >= 5


def is_heading(line: Line, doc: Document, after_references: bool) -> bool:
    """Whether the line is (the first row of) a heading, by number, known words, size, weight or capitals."""
    text = line.text
    letters = [c for c in text if c.isalpha()]
    if len(letters) < 3 or len(text.split()) > 16 or text[0] in "[(•–-" or not letters:
        return False
    large = line.size > 1.04 * doc.size
    bold = line.bold
    capitals = sum(c.isupper() for c in letters) > 0.9 * len(letters)
    if KNOWN.match(text) or APPENDIX.match(text):
        return large or bold or capitals or line.centred
    if NUMBERED.match(text):
        if after_references or text.endswith((".", ",", ";")):
            return (large or bold) and not text.endswith((",", ";"))
        return large or bold or capitals or (line.italic and len(text.split()) <= 12)
    return (
        not after_references
        and ((bold and line.size > 1.08 * doc.size) or line.size > 1.18 * doc.size)
        and math_share(line, doc.font) < 0.4
    )


def is_small_heading(line: Line, before: Line | None, after: Line | None, doc: Document) -> bool:
    """Whether a bold line of the text's own size stands apart above prose that is not bold."""
    if (
        not line.bold
        or line.size < 0.99 * doc.size
        or len(line.text.split()) > 8
        or line.text[-1] in ".,;:"
        or after is None
        or after.bold
    ):
        return False
    if line.x0 - line.left > 0.5 * doc.size or line.x1 > line.right - 3 * doc.size or not PROSE.search(line.text):
        return False
    apart = before is None or before.page != line.page or before.left != line.left or line.top - before.top > 1.25 * doc.size
    return apart and prose_words(after, doc.font) > 3


def footnotes(lines: Sequence[Line], doc: Document) -> frozenset[int]:
    """Indices of the lines of smaller type that end a column and begin with a mark, a number or a licence."""
    found: set[int] = set()
    for i in range(len(lines)):
        last_of_column = i + 1 == len(lines) or lines[i + 1].page != lines[i].page or lines[i + 1].top < lines[i].top
        if not last_of_column:
            continue
        start = i
        while start >= 0 and _is_small(lines[start], lines[i], doc):
            start -= 1
        run = range(start + 1, i + 1)
        if run and _begins_footnote(lines[run[0]]):
            found.update(run)
    return frozenset(found)


def _is_small(line: Line, last: Line, doc: Document) -> bool:
    return (
        line.size < 0.95 * doc.size
        and line.page == last.page
        and abs(line.x0 - last.left) < 3 * doc.size
        and line.top <= last.top
    )


def _begins_footnote(line: Line) -> bool:
    mark = re.match(
        r"^(?:\d{1,2}\s?\D|[∗*†‡§¶]|permission|copyright|©|this work|(?:the )?(?:first )?two authors|corresponding|work done)",
        line.text,
        re.I,
    )
    return mark is not None and CAPTION.match(line.text) is None
