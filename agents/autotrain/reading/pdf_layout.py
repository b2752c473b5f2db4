"""Lines of a PDF to pieces: title, headings with levels, paragraphs, equations, captions and tables, in reading order."""

from __future__ import annotations

from collections.abc import Sequence

from agents.autotrain.reading.hyphens import Vocabulary
from agents.autotrain.reading.pdf_document import Document
from agents.autotrain.reading.pdf_floats import floats
from agents.autotrain.reading.pdf_geometry import Line
from agents.autotrain.reading.pdf_kinds import (
    EQUATION_NUMBER,
    KNOWN,
    NUMBERED,
    RUN_IN,
    footnotes,
    is_display,
    is_heading,
    is_small_heading,
    prose_words,
)
from agents.autotrain.reading.pdf_prose import begins_paragraph
from agents.autotrain.reading.pieces import Formula, Heading, Paragraph, Piece


def layout(doc: Document) -> tuple[str, tuple[Piece, ...]]:
    """The title and the pieces."""
    title, lines = _title(doc)
    return title, _Reader(doc, _front_matter_first(lines)).read()


def _title(doc: Document) -> tuple[str, list[Line]]:
    """The largest lines in the upper half of the first page, and all other lines."""
    first = [line for line in doc.lines if line.page == 0 and sum(c.isalpha() for c in line.text) >= 3]
    if not first:
        return "", list(doc.lines)
    height = max(line.bottom for line in first)
    upper = [line for line in first if line.top < 0.5 * height] or first
    largest = max(line.size for line in upper)
    if largest < 1.1 * doc.size:
        return "", list(doc.lines)
    rows = [line for line in upper if line.size > 0.95 * largest]
    rows = [line for line in rows if abs(line.top - rows[0].top) < 6 * largest]
    return Vocabulary(()).join([line.text for line in rows]), [line for line in doc.lines if line not in rows]


def _front_matter_first(lines: list[Line]) -> list[Line]:
    """Authors stand in columns above the abstract: all of the first page above it is read before it."""
    start = next(
        (i for i, line in enumerate(lines) if line.page == 0 and (KNOWN.match(line.text) or RUN_IN.match(line.text))), None
    )
    if start is None:
        return lines
    top = lines[start].top
    late = [i for i in range(start + 1, len(lines)) if lines[i].page == 0 and lines[i].bottom < top]
    moved = set(late)
    rest = [line for i, line in enumerate(lines) if i >= start and i not in moved]
    return [*lines[:start], *(lines[i] for i in late), *rest]


class _Reader:
    """Walks the lines once; captions, tables and footnotes wait until the paragraph they interrupt has ended."""

    def __init__(self, doc: Document, lines: Sequence[Line]) -> None:
        self._doc = doc
        self._lines = lines
        self._vocabulary = Vocabulary(line.text for line in lines)
        self._floats = floats(lines, doc, self._vocabulary)
        self._notes = footnotes(lines, doc) - self._floats.used
        self._display = _display_rows(lines, doc) - self._floats.used
        self._levels = _levels(lines, doc)
        self._roman = any(NUMBERED.match(line.text) and line.text[0] in "IVX" for line in lines if is_heading(line, doc, False))
        self._pieces: list[Piece] = []
        self._paragraph: list[Line] = []
        self._pending: list[Piece] = []
        self._last: Line | None = None  # the last line of prose
        self._after_references = False
        self._begun = not any(
            KNOWN.match(line.text) or NUMBERED.match(line.text) for line in lines if is_heading(line, doc, False)
        )

    def read(self) -> tuple[Piece, ...]:
        i = 0
        while i < len(self._lines):
            if i in self._floats.pieces:
                self._pending.append(self._floats.pieces[i])
            if i in self._floats.used:
                i += 1
            else:
                i = self._take(i)
        self._flush()
        self._pieces += self._pending
        return tuple(self._pieces)

    def _take(self, i: int) -> int:
        """Handles the line at `i` and returns the index of the next one."""
        line, before = self._lines[i], self._lines[i - 1] if i else None
        if i in self._notes and not self._after_references:
            return self._take_footnote(i)
        if i in self._display:
            return self._take_equation(i)
        plain = KNOWN.match(line.text) or NUMBERED.match(line.text)
        # Before the first plain heading stand authors and addresses, often in large type.
        heading = is_heading(line, self._doc, self._after_references) and bool(plain or self._begun)
        self._begun = self._begun or heading
        aside = self._floats.used | self._notes
        after = next((self._lines[n] for n in range(i + 1, len(self._lines)) if n not in aside), None)
        if heading or (not self._after_references and self._pieces and is_small_heading(line, before, after, self._doc)):
            return self._take_heading(i, small=not heading)
        self._take_prose(line)
        return i + 1

    def _take_footnote(self, start: int) -> int:
        end = start
        while end < len(self._lines) and end in self._notes and (end == start or self._lines[end].top > self._lines[end - 1].top):
            end += 1
        self._pending.append(Paragraph(self._vocabulary.join([line.text for line in self._lines[start:end]])))
        return end

    def _take_equation(self, start: int) -> int:
        """All rows of a display: one equation, or where several rows have numbers, one up to each number."""
        self._flush()
        rows: list[str] = []
        i = start
        while i < len(self._lines) and i in self._display and (i == start or self._continues(i)):
            rows.append(self._lines[i].text)
            i += 1
        numbers = [EQUATION_NUMBER.search(row) for row in rows]
        several = sum(number is not None for number in numbers) > 1
        text: list[str] = []
        label = ""
        for row, number in zip(rows, numbers, strict=True):
            text.append(row[: number.start()] if number else row)
            label = number[1] if number else label
            if number and several:
                self._pieces.append(Formula(" ".join(text), label))
                text, label = [], ""
        if text:
            self._pieces.append(Formula(" ".join(text), label))
        self._last = None
        return i

    def _continues(self, i: int) -> bool:
        before, line = self._lines[i - 1], self._lines[i]
        return line.page == before.page and line.left == before.left and 0 <= line.top - before.top < 3 * self._doc.size

    def _take_heading(self, start: int, small: bool) -> int:
        self._flush()
        self._release()
        first = self._lines[start]
        rows, i = [first.text], start + 1
        while i < len(self._lines) and not small and self._goes_on(first, self._lines[i - 1], self._lines[i]):
            rows.append(self._lines[i].text)
            i += 1
        title = self._vocabulary.join(rows)
        self._after_references = self._after_references or title.lower().strip(" .:").endswith(("references", "bibliography"))
        self._pieces.append(Heading(title, 3 if small else self._level(first)))
        self._last = None
        return i

    def _goes_on(self, first: Line, before: Line, line: Line) -> bool:
        """Whether a heading runs over to the line."""
        close = line.page == before.page and line.left == first.left and 0 < line.top - before.top < 1.5 * first.size
        alike = line.size == first.size and line.font == first.font and line.bold == first.bold
        distinct = first.bold or first.size > 1.04 * self._doc.size
        return (
            close
            and alike
            and distinct
            and not NUMBERED.match(line.text)
            and not KNOWN.match(line.text)
            and not KNOWN.match(first.text)
        )

    def _level(self, line: Line) -> int:
        match = NUMBERED.match(line.text)
        if match is None:
            return 1 if KNOWN.match(line.text) else self._levels.get((line.font, line.size), self._by_size(line))
        number = match["number"].rstrip(".")
        if number.isalpha() and len(number) == 1 and number not in "IVX":
            return 2 if self._roman and not self._after_references else 1
        return number.count(".") + 1

    def _by_size(self, line: Line) -> int:
        """The level of the nearest known heading that is no larger."""
        smaller = [level for (_, size), level in self._levels.items() if size <= line.size]
        return min(smaller, default=1 if not self._levels else max(self._levels.values()) + 1)

    def _take_prose(self, line: Line) -> None:
        run_in = RUN_IN.match(line.text) if not self._paragraph or line.page == 0 else None
        if run_in:
            self._flush()
            self._release()
            self._pieces.append(Heading(run_in["title"], 1))
        elif begins_paragraph(line, self._last, self._doc.size, self._after_references):
            self._flush()
        self._paragraph.append(line)
        self._last = line

    def _flush(self) -> None:
        """Ends the paragraph, and lets out what waited for its end."""
        if self._paragraph:
            texts = [line.text for line in self._paragraph]
            run_in = RUN_IN.match(texts[0])
            if run_in and self._pieces and self._pieces[-1] == Heading(run_in["title"], 1):
                texts[0] = texts[0][run_in.end() :]
            self._pieces.append(Paragraph(self._vocabulary.join(texts)))
            self._paragraph = []
            self._release()

    def _release(self) -> None:
        self._pieces += self._pending
        self._pending = []


def _levels(lines: Sequence[Line], doc: Document) -> dict[tuple[str, float], int]:
    """The level that each style of heading has, learnt from the numbered ones."""
    found: dict[tuple[str, float], int] = {}
    for line in lines:
        match = NUMBERED.match(line.text)
        if match and match["number"][0].isdigit() and is_heading(line, doc, False):
            found.setdefault((line.font, line.size), match["number"].rstrip(".").count(".") + 1)
    return found


def _display_rows(lines: Sequence[Line], doc: Document) -> frozenset[int]:
    """Indices of the rows of displayed equations: main rows, and the limits and fractions that overlap them in height."""
    rows = {i for i, line in enumerate(lines) if is_display(line, doc)}
    for step in (1, -1):
        for i in sorted(rows, reverse=step < 0):
            j = i + step
            while 0 <= j < len(lines) and j not in rows and _touches(lines[i], lines[j], doc):
                rows.add(j)
                j += step
    return frozenset(rows)


def _touches(main: Line, line: Line, doc: Document) -> bool:
    """Whether a row without prose overlaps the equation's main row in height, in the same column."""
    if line.page != main.page or line.left != main.left or prose_words(line, doc.font) > 1:
        return False
    if EQUATION_NUMBER.fullmatch(line.text):
        return abs(line.top - main.top) < 2.5 * doc.size
    overlap = min(main.bottom, line.bottom) - max(main.top, line.top)
    return (
        overlap > -0.35 * doc.size and line.x0 - line.left > 0.8 * doc.size and line.x1 - line.x0 < 0.7 * (line.right - line.left)
    )
