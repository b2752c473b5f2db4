"""Tables in a PDF: the rows of cells below (or above) a caption "Table 1"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.autotrain.reading.pdf_geometry import Line
from agents.autotrain.reading.pdf_kinds import CAPTION, PROSE
from agents.autotrain.reading.pdf_text import line_text
from agents.autotrain.reading.pdf_word import Word

CELL_GAP = 0.75  # of the type size; narrower gaps are spaces between words
FAR = 3.2  # of the type size; a wider gap between rows ends a table


@dataclass(frozen=True)
class FoundTable:
    rows: tuple[tuple[str, ...], ...]
    used: frozenset[int]  # indices of the lines that make it up, its caption's included


def caption_lines(lines: Sequence[Line], start: int) -> list[int]:
    """The indices of the caption that begins at `start`: what follows closely in the same type."""
    first, found = lines[start], [start]
    alone = CAPTION.match(first.text)
    titled_below = alone is not None and alone.end() == len(first.text)  # "TABLE II", its title on the next line
    for i in range(start + 1, min(start + 14, len(lines))):
        before, line = lines[found[-1]], lines[i]
        close = line.page == first.page and 0 < line.top - before.top < 1.45 * first.size + (
            0.5 * first.size if titled_below else 0
        )
        alike = abs(line.size - first.size) < 0.2 or (titled_below and len(found) == 1)
        same = line.left == first.left and (line.font == first.font or not first.bold or line.bold)
        full = titled_below or before.x1 > first.right - 4 * first.size or before.x1 - before.x0 > line.x1 - line.x0 - first.size
        if not (close and alike and same and full) or len(line.cells(1.2 * line.size)) > 1 or CAPTION.match(line.text):
            break
        found.append(i)
    return found


def table_at(lines: Sequence[Line], caption: Sequence[int], body_size: float, taken: frozenset[int]) -> FoundTable:
    """The table that the caption names: its rows stand below, or where none do, above. Rows may be empty when none are found."""
    below = _rows(lines, caption, body_size, taken, downwards=True)
    rows = below if len(below) >= 2 else _rows(lines, caption, body_size, taken, downwards=False)
    if len(rows) < 2:
        return FoundTable((), frozenset(caption))
    used = frozenset(i for row in rows for i in row) | frozenset(caption)
    ordered = sorted(rows, key=lambda row: lines[row[0]].top)
    return FoundTable(tuple(_cells([lines[i] for i in row]) for row in ordered), used)


def _rows(
    lines: Sequence[Line], caption: Sequence[int], body_size: float, taken: frozenset[int], downwards: bool
) -> list[list[int]]:
    """Groups of line indices, each one row, from the caption outwards until something that is no row."""
    head, foot = lines[caption[0]], lines[caption[-1]]
    own = frozenset(caption) | taken
    near = [i for i, line in enumerate(lines) if line.page == head.page and i not in own]
    area = [i for i in near if head.wide or lines[i].wide or lines[i].left == head.left]
    if downwards:
        area = sorted((i for i in area if lines[i].top > foot.top), key=lambda i: lines[i].top)
    else:
        area = sorted((i for i in area if lines[i].top < head.top), key=lambda i: -lines[i].top)
    rows: list[list[int]] = []
    edge = foot if downwards else head
    for group in _grouped(area, lines):
        line = lines[group[0]]
        far = abs(line.top - edge.top) > (FAR + (2.0 if edge in (head, foot) else 0.0)) * body_size
        if far or any(CAPTION.match(lines[i].text) for i in group) or _is_prose([lines[i] for i in group]):
            break
        rows.append(group)
        edge = line
    tabular = [n for n, row in enumerate(rows) if len(_cells([lines[i] for i in row])) >= 2]
    return rows[: tabular[-1] + 1] if len(tabular) >= 2 else []


def _grouped(order: Sequence[int], lines: Sequence[Line]) -> list[list[int]]:
    """Lines of one height together: the columns of a page cut a wide table's rows apart."""
    groups: list[list[int]] = []
    for i in order:
        if groups and abs(lines[i].top - lines[groups[-1][0]].top) < 0.45 * lines[i].size:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _cells(row: Sequence[Line]) -> tuple[str, ...]:
    words: list[Word] = sorted((w for line in row for w in line.words), key=lambda w: w.x0)
    merged = Line(tuple(words), row[0].page, row[0].left, row[0].right)
    return tuple(line_text(cell) for cell in merged.cells(CELL_GAP * merged.size))


def _is_prose(row: Sequence[Line]) -> bool:
    """Whether running text stands in the row: many words that fill the width of a column."""
    for line in row:
        words = [w for w in line.words if PROSE.search(w.text)]
        cells = line.cells(CELL_GAP * line.size)
        filled = line.x1 - line.x0 > 0.8 * (line.right - line.left)
        if len(words) >= 5 and ((len(cells) == 1 and filled) or max(len(cell) for cell in cells) >= 10):
            return True
    return False
