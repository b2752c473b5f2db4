"""Prints the words of a PDF with their boxes and fonts as JSON lines; run as a script in a process of its own, with limits.

Parsing is the dangerous part of a foreign PDF: streams that inflate without end, object graphs that never finish. It
happens here, where memory and processor time are bounded by the operating system, and the parent bounds clock and
output. The script imports nothing of the project. It does not judge the document; `pdf.py` does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

MEMORY_BYTES = 3 * 2**30
WORD_GAP = 0.12  # of the type size; a wider gap parts words
LINE_STEP = 0.06  # of the type size; baselines closer than this are one
RULE_WIDTH = 5.0  # points; shorter rules are parts of glyphs and figures
RULE_HEIGHT = 1.5
MAX_CHARACTERS = 200_000  # of one page
SMALLEST = 1.0  # points; smaller type cannot be read


def limit(cpu_seconds: int) -> None:
    """Caps this process's memory and processor time, where the operating system can."""
    try:
        import resource
    except ImportError:  # not a POSIX system: the parent's clock alone bounds the work
        return
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def words_of(page: Any, unseen: list[int]) -> Iterator[list[Any]]:
    """[x0, x1, baseline, text, font, size] of every word that stands upright; points from the page's top left corner.

    The baseline is the text's own origin: boxes made from a font's ascent disagree between the fonts of one formula.
    Characters that a reader does not see are left out and counted in `unseen[0]`.
    """
    height = float(page.height)
    grounds = [r for r in page.rects if r.get("fill") and not _is_white(r.get("non_stroking_color"))]
    rows: dict[tuple[int, str, float], list[tuple[float, float, float, str]]] = {}
    for char in page.chars[:MAX_CHARACTERS]:
        _, shear, slant, scale, _, origin = char["matrix"]
        size = round(float(char["size"]), 1)
        if abs(shear) > 1e-3 * abs(scale) or abs(slant) > abs(scale) or char["text"] in " \t\n\r\xa0" or size <= 0:
            continue
        if not _is_seen(char, page, grounds):
            unseen[0] += 1
            continue
        baseline = height - float(origin) + float(page.bbox[1])
        key = (round(baseline / max(0.1, LINE_STEP * size)), char["fontname"], size)
        rows.setdefault(key, []).append((float(char["x0"]), float(char["x1"]), baseline, char["text"]))
    for (_, font, size), chars in rows.items():
        yield from _joined(sorted(chars), font, size)


def _is_seen(char: dict[str, Any], page: Any, grounds: list[dict[str, Any]]) -> bool:
    """Whether a character is large enough to read, stands on the page, and is not white on white.

    Text drawn in the invisible mode counts as seen: it is how scanned pages carry what was recognised on them.
    """
    left, top, right, bottom = page.bbox
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    if float(char["size"]) < SMALLEST or not (left <= x <= right and top <= y <= bottom):
        return False
    if not _is_white(char.get("non_stroking_color")):
        return True
    return any(r["x0"] <= x <= r["x1"] and r["top"] <= y <= r["bottom"] for r in grounds) or bool(page.images)


def _is_white(colour: Any) -> bool:
    """Of grey, of red, green and blue, or of the four inks; patterns and what else there is are taken for colours."""
    parts = colour if isinstance(colour, (list, tuple)) else [colour]
    if not parts or not all(isinstance(p, (int, float)) for p in parts):
        return False
    return bool(max(parts) <= 0.02 if len(parts) == 4 else min(parts) >= 0.98)


def _joined(chars: list[tuple[float, float, float, str]], font: str, size: float) -> Iterator[list[Any]]:
    """Words of one row: characters of one font and size with no gap between them."""
    word: list[Any] | None = None
    for x0, x1, baseline, text in chars:
        if word is not None and x0 - word[1] <= WORD_GAP * size:
            if x0 - word[0] < 0.02 * size and text == word[3]:
                continue  # bold feigned by printing twice
            word[1] = max(word[1], round(x1, 1))
            word[3] += text
        else:
            if word is not None:
                yield word
            word = [round(x0, 1), round(x1, 1), round(baseline, 1), text, font, size]
    if word is not None:
        yield word


def bars_of(page: Any) -> list[list[float]]:
    """[x0, x1, top] of every thin horizontal rule: fraction bars, table rules."""
    return [
        [round(float(r["x0"]), 1), round(float(r["x1"]), 1), round(float(r["top"]), 1)]
        for r in [*page.lines, *page.rects]
        if r["height"] < RULE_HEIGHT and r["width"] > RULE_WIDTH
    ][:2000]


def say(item: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(item) + "\n")


def main(path: str, max_pages: int, cpu_seconds: int) -> None:
    limit(cpu_seconds)
    import pdfplumber

    with pdfplumber.open(path) as pdf:
        pages = pdf.pages
        say({"pages": len(pages), "title": str((pdf.metadata or {}).get("Title") or "")[:500]})
        if len(pages) > max_pages:
            return
        for page in pages:
            unseen = [0]
            words = list(words_of(page, unseen))
            about = {"width": float(page.width), "height": float(page.height), "unseen": unseen[0]}
            say({**about, "words": words, "bars": bars_of(page)})
            page.close()
    say({"done": True})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
