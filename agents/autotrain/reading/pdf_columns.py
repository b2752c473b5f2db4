"""Words on a page to lines in reading order: finds the gutter, keeps what spans it in place, reads left before right."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from agents.autotrain.reading.pdf_geometry import Line, Page
from agents.autotrain.reading.pdf_text import is_limit, is_operator
from agents.autotrain.reading.pdf_word import SCRIPT_RATIO, Word

MIN_WORDS = 40  # fewer on a page say nothing about its columns


def gutters(pages: Sequence[Page]) -> list[float | None]:
    """For each page the x of the gutter between two columns, None where there is one column.

    A page with too few words to tell follows the gutter most pages have.
    """
    own = [_gutter(page) if len(page.words) >= MIN_WORDS else None for page in pages]
    known = sorted(x for x in own if x is not None)
    if 2 * len(known) < sum(len(page.words) >= MIN_WORDS for page in pages):
        return own
    usual = known[len(known) // 2] if known else None
    return [
        usual if x is None and (len(p.words) < MIN_WORDS or _is_empty(p, usual)) else x for x, p in zip(own, pages, strict=True)
    ]


def _is_empty(page: Page, x: float | None) -> bool:
    """Whether next to nothing on the page crosses `x`."""
    return x is not None and sum(w.x0 < x < w.x1 for w in page.words) <= 0.02 * len(page.words)


def _gutter(page: Page) -> float | None:
    """The x near the middle that fewest words cross, if these are few against what one column would have."""
    low, high = int(0.38 * page.width), int(0.62 * page.width)
    crossing = [sum(w.x0 - 1 < x < w.x1 + 1 for w in page.words) for x in range(low, high + 1)]
    best = min(crossing)
    typical = sorted(crossing)[3 * len(crossing) // 4]
    if best > 0.3 * typical:
        return None
    runs = [x for x, count in zip(range(low, high + 1), crossing, strict=True) if count <= best]
    middle = min(runs, key=lambda x: abs(x - page.width / 2))
    run = _run_around(runs, middle)
    x = (run[0] + run[-1]) / 2
    sides = [sum(w.x1 <= x for w in page.words), sum(w.x0 >= x for w in page.words)]
    return x if min(sides) >= 0.1 * len(page.words) else None


def _run_around(values: Sequence[int], middle: int) -> Sequence[int]:
    """The stretch of consecutive values that holds `middle`."""
    at = start = end = values.index(middle)
    while start > 0 and values[start - 1] == values[start] - 1:
        start -= 1
    while end + 1 < len(values) and values[end + 1] == values[end] + 1:
        end += 1
    return values[start : end + 1] if at >= start else values


def lines_of(page: Page, number: int, gutter: float | None) -> list[Line]:
    """All lines of a page in reading order: bands between spanning lines, and in each the left column before the right."""
    if gutter is None:
        return _column(page.words, number)
    spanning, left, right = _split(page.words, gutter)
    wide = _column(spanning, number, wide=True)
    tops = [line.top for line in wide]
    ordered: list[Line] = []
    left_lines, right_lines = _column(left, number), _column(right, number)
    for band in range(len(wide) + 1):
        for column in (left_lines, right_lines):
            ordered += [line for line in column if bisect_right(tops, (line.top + line.bottom) / 2) == band]
        ordered += wide[band : band + 1]
    return ordered


def _split(words: Sequence[Word], gutter: float) -> tuple[list[Word], list[Word], list[Word]]:
    """Words that span the gutter together with the rest of their lines, words left of it, words right of it."""
    across = [w for w in words if w.x0 < gutter - 1 and w.x1 > gutter + 1]
    left = sorted((w for w in words if w.x1 <= gutter + 1), key=lambda w: -w.x1)
    right = sorted((w for w in words if w.x0 >= gutter - 1 and w.x1 > gutter + 1), key=lambda w: w.x0)
    near_left = [w for w in left if gutter - w.x1 < 0.35 * w.size]
    near_right = [w for w in right if w.x0 - gutter < 0.35 * w.size]
    for a in near_left:  # a space of a spanning line may fall right on the gutter
        for b in near_right:
            if _same_row(a, b) and b.x0 - a.x1 < 0.45 * a.size:
                across += [a, b]
    spanning: dict[int, Word] = {}
    for seed in across:
        _grow(seed, left, spanning, leftwards=True)
        _grow(seed, right, spanning, leftwards=False)
        spanning[id(seed)] = seed
    rest_left = [w for w in left if id(w) not in spanning]
    return list(spanning.values()), rest_left, [w for w in right if id(w) not in spanning]


def _grow(seed: Word, side: Sequence[Word], spanning: dict[int, Word], leftwards: bool) -> None:
    """Adds the words that stand in one row with the seed, each at most a wide space from the one before."""
    edge = seed.x0 if leftwards else seed.x1
    for word in side:  # nearest first
        gap = edge - word.x1 if leftwards else word.x0 - edge
        if _same_row(seed, word) and -seed.size < gap < 1.2 * seed.size:
            spanning[id(word)] = word
            edge = word.x0 if leftwards else word.x1


def _same_row(a: Word, b: Word) -> bool:
    return min(a.bottom, b.bottom) - max(a.top, b.top) > 0.5 * min(a.bottom - a.top, b.bottom - b.top)


def _column(words: Sequence[Word], number: int, wide: bool = False) -> list[Line]:
    """The lines of one column, top to bottom. Larger words found lines; smaller ones (scripts) join the line they touch."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (-w.size, w.hanging, w.x0)):
        row = _row_around(word, rows) if word.hanging else next((r for r in rows if _joins(word, r)), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    rows = _with_strays(rows)
    if not rows:
        return []
    starts = sorted(min(w.x0 for w in row) for row in rows)
    ends = sorted(max(w.x1 for w in row) for row in rows)
    left, right = starts[len(starts) // 20], ends[-1 - len(ends) // 20]
    lines = [Line(tuple(sorted(row, key=lambda w: w.x0)), number, left, right, wide) for row in rows]
    return sorted(lines, key=lambda line: line.top)


def _with_strays(rows: list[list[Word]]) -> list[list[Word]]:
    """Rows again, those of scripts alone joined to a row they touch now that it is complete (scripts of scripts)."""
    kept = [row for row in rows if any(w.size > 0.5 * row[0].size for w in row)]
    for row in sorted(kept, key=len):
        home = next(
            (r for r in kept if r is not row and r[0].size * SCRIPT_RATIO >= row[0].size and all(_joins(w, r) for w in row)), None
        )
        if home is not None:
            home += row
            kept = [r for r in kept if r is not row]
    return kept


def _row_around(word: Word, rows: Sequence[list[Word]]) -> list[Word] | None:
    """The row whose axis a hanging sign is centred on; signs come in several heights, so the nearest within reach."""
    axis = word.baseline + 0.75 * word.size
    near = [r for r in rows if -0.2 * word.size < r[0].middle - word.baseline < 2.0 * word.size]
    return min(near, key=lambda r: abs(r[0].middle - axis), default=None)


def _joins(word: Word, row: Sequence[Word]) -> bool:
    """Whether the word belongs to the row: on its height if of like size, else overlapping it right beside one of its words."""
    first = row[0]
    overlap = min(word.bottom, first.bottom) - max(word.top, first.top)
    if word.size > SCRIPT_RATIO * first.size:
        return overlap > 0.5 * min(word.bottom - word.top, first.bottom - first.top)
    if any(is_operator(w) and is_limit(word, w) for w in row):
        return True
    if overlap < 0.2 * (word.bottom - word.top):
        return False
    return any(-word.size < word.x0 - w.x1 < 0.5 * first.size or -word.size < w.x0 - word.x1 < 0.3 * first.size for w in row)
