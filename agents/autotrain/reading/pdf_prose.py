"""Lines of prose to paragraphs: where a paragraph begins, and which hyphens at line ends stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.autotrain.reading.pdf_geometry import Line

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_ITEM = re.compile(r"^(?:[•◦▪‣∙–]\s|\[\d{1,3}\]|\(\d{1,2}\)\s|\d{1,2}[.)]\s)")
_BULLET = re.compile(r"^[•◦▪‣∙–]\s|^\[\d{1,3}\]")


class Vocabulary:
    """The words of the document, which tell "net-" + "work" from "low-" + "order"."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: set[str] = set()
        for text in texts:
            # The halves of a word broken at a line end are no words.
            self._words.update(w.lower() for w in _WORD.findall(re.sub(r"[A-Za-z]+-$|^[a-z]+", " ", text)))

    def join(self, texts: Sequence[str]) -> str:
        """Lines as one paragraph."""
        joined = ""
        for text in texts:
            joined = self._append(joined, text) if joined else text
        return joined

    def _append(self, before: str, after: str) -> str:
        head, tail = re.search(r"([A-Za-z]+)-$", before), re.match(r"[a-z]+", after)
        if head is None or tail is None:
            # A break inside "Embedding-" + "MLP" or "A/" + "B" takes no space.
            return before + ("" if re.search(r"\w-$", before) and after[:1].isalnum() else " ") + after
        whole, parted = head[1].lower() + tail[0], f"{head[1].lower()}-{tail[0]}"
        compound = any(w == parted or w.startswith(parted + "-") for w in self._words) or (
            whole not in self._words and head[1].lower() in self._words and tail[0] in self._words
        )
        return before + after if compound else before[:-1] + after


def begins_paragraph(line: Line, before: Line | None, size: float) -> bool:
    """Whether a new paragraph begins with the line; `before` is the line of prose read before it."""
    if before is None or _BULLET.match(line.text):
        return True
    short = before.x1 < before.right - 2.5 * size
    ended = before.text.endswith((".", "!", "?", ":", ".”", ".)", "]"))
    same_column = line.page == before.page and line.left == before.left and line.top > before.top
    indented = line.x0 - line.left > 0.6 * size
    if not same_column:
        return (indented and ended) or (short and ended)
    if line.top - before.top > 1.9 * size:
        return True
    if short and ended and _ITEM.match(line.text):
        return True
    moved_right = line.x0 - before.x0 > 0.6 * size and not _ITEM.match(before.text)
    return (moved_right and indented and ended) or (short and ended and line.x0 - line.left < 2.5 * size)
