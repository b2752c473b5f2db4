"""Joins lines of prose: which hyphens at line ends belong to the word and which only part it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_DERIVING = frozenset(
    ("in", "un", "re", "de", "dis", "im", "non", "ex", "en", "per", "con", "com", "pro", "ir", "il", "ab", "ad", "sub")
)


class Vocabulary:
    """The words of the document, which tell "net-" + "work" from "low-" + "order"."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: set[str] = set()
        for text in texts:
            # The halves of a word broken at a line end are no words.
            self._words.update(w.lower() for w in _WORD.findall(re.sub(r"[A-Za-z]+-$|^[a-z]+", " ", text)))
        self._parts = {part for word in self._words for part in word.split("-")}

    def join(self, texts: Sequence[str]) -> str:
        """Lines as one paragraph."""
        parts = [text for text in texts if text]
        for i in range(len(parts) - 1):
            parts[i] = self._before(parts[i], parts[i + 1])
        return "".join(parts)

    def _before(self, line: str, following: str) -> str:
        """The line with the space or the hyphen that parts it from the following one, or with neither."""
        tail = line[-80:]
        head, begun = re.search(r"([A-Za-z]+)-$", tail), re.match(r"[a-z]+", following)
        if head is None or begun is None:
            # A break inside "Embedding-" + "MLP" takes no space.
            return line if re.search(r"\w-$", tail) and following[:1].isalnum() else line + " "
        return line if self._is_compound(tail[: head.start()], head[1].lower(), begun[0]) else line[:-1]

    def _is_compound(self, earlier: str, first: str, second: str) -> bool:
        """Whether "first-second" keeps its hyphen: seen so elsewhere, already hyphenated, or made like other compounds."""
        if earlier.endswith("-") or len(first) == 1 or first + "-" + second in self._words:
            return True
        if first + second in self._words or first in _DERIVING:
            return False
        return first in self._parts and second in self._parts
