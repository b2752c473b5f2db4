"""Words of a paper with their offsets, reduced so that spelling variants of one term look alike.

`Factorisation-machines`, `factorization machine` and `Factorization Machines` all become the stems `factoriz machin`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

WordKind = Literal["word", "number", "name", "cite", "math", "mark"]

_TOKEN = re.compile(
    r"(?P<cite>\\cite\w*\s*(?:\[[^\]]*\])?\{[^}]*\}|\[\s*\d+(?:\s*[,–-]\s*\d+)*\s*\]|\((?:19|20)\d\d[a-z]?\)"
    r"|[\[(](?:[^\[\]()]{0,60}?[A-Z][^\[\]()]{0,160}?(?:et\s+al\.?)?,?\s+(?:19|20)\d\d[a-z]?(?:\s*;[^\[\]()]{0,160}?)?)[\])])"
    r"|(?P<skip>\\(?:ref|eqref|label|footnote|url|href)\s*\{[^}]*\}|https?://\S+)"
    r"|(?P<math>\$[^$\n]{1,200}\$)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][-−]\d+)?(?![\w]))"
    r"|(?P<word>(?:\\(?:textbf|textit|emph|underline)\{[^\W_]+\}|[^\W_])+(?:['’](?:s|t|re)\b)?)"
    r"|(?P<command>\\[a-zA-Z]+\*?)"
    r"|(?P<mark>[^\w\s{}])"
)
_CAPITALS = re.compile(r"[A-Z]\w*[A-Z]|[a-z][A-Z]")
_FORMATTING = re.compile(r"\\(?:textbf|textit|emph|underline)\{([^}]*)\}")

# Prefixes that writers join, hyphenate or set apart: multi-task, multitask, multi task.
_PREFIXES = frozenset("pre multi self inter intra co semi bi auto sub non".split())
_PAIRS = {
    ("click", "through"),
    ("feed", "forward"),
    ("fin", "tun"),
    ("drop", "out"),
    ("up", "date"),
    ("data", "set"),
    ("log", "loss"),
}
_BRITISH = {"behaviour": "behavior", "modelling": "model", "modeling": "model", "modelled": "model", "labelled": "label"}
_SHORT_ENDINGS = ("ss", "us", "is", "as", "os")


@dataclass(frozen=True)
class Word:
    """One word, number, formula, citation or mark; `start` and `end` are offsets into `Paper.text`.

    `capitals` tells a word within which capitals stand, as in names of models.
    """

    stem: str
    low: str
    start: int
    end: int
    kind: WordKind
    capitals: bool = False


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz" else word


def _singular(low: str) -> str:
    if low.endswith("ies") and len(low) > 4:
        return low[:-3] + "y"
    if low.endswith("sses"):
        return low[:-2]
    if low.endswith("s") and not low.endswith(_SHORT_ENDINGS) and len(low) > 2:
        return low[:-1]
    return low


def stem_of(low: str) -> str:
    """A light stem: plural, -ing, -ed, -ation and a final e removed; British spellings made American."""
    low = low.removesuffix("'s").removesuffix("’s")
    low = _singular(_BRITISH.get(low, low).replace("isation", "ization").replace("behaviour", "behavior"))
    if len(low) > 5 and low.endswith("ing"):
        low = _undouble(low[:-3])
    elif len(low) > 4 and low.endswith("ed") and not low.endswith("eed"):
        low = _undouble(low[:-2])
    elif len(low) > 8 and low.endswith("ation"):
        low = low[:-5]
    if low.endswith("is") and len(low) > 7:  # factoris- and factoriz-
        low = low[:-2] + "iz"
    return low[:-1] if len(low) > 3 and low.endswith("e") else low


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", _FORMATTING.sub(r"\1", text)).lower()


def _join(words: list[Word]) -> list[Word]:
    """Joins prefixes and fixed pairs with the word that follows, across a hyphen or a space; drops other hyphens."""
    out: list[Word] = []
    i = 0
    while i < len(words):
        word = words[i]
        hyphen = i + 1 < len(words) and words[i + 1].low in "-‐‑" and words[i + 1].start == word.end
        j = i + 2 if hyphen else i + 1
        follows = words[j] if word.kind == "word" and j < len(words) and words[j].kind == "word" else None
        if follows is not None and (word.low in _PREFIXES or (word.stem, follows.stem) in _PAIRS):
            low = word.low + follows.low
            out.append(Word(word.stem + follows.stem, low, word.start, follows.end, "word"))
            i = j + 1
            continue
        out.append(word)
        i = j if hyphen and follows is not None else i + 1
    return out


def words_of(text: str, start: int = 0, end: int | None = None, names: Sequence[tuple[int, int]] = ()) -> tuple[Word, ...]:
    """The words of `text[start:end]`; spans in `names` (sorted, disjoint) become one word of kind `name` each."""
    end = len(text) if end is None else end
    words: list[Word] = []
    at = start
    for name_start, name_end in [*(n for n in names if start <= n[0] < end), (end, end)]:
        words.extend(_scan(text, at, name_start))
        if name_end > name_start:
            words.append(Word("thismodel", "thismodel", name_start, name_end, "name"))
        at = max(at, name_end)
    return tuple(_join(words))


def _scan(text: str, start: int, end: int) -> Iterable[Word]:
    for match in _TOKEN.finditer(text, start, max(start, end)):
        kind = match.lastgroup
        if kind in ("skip", "command", None):
            continue
        if kind == "word":
            low = _plain(match.group())
            yield Word(stem_of(low), low, match.start(), match.end(), "word", bool(_CAPITALS.search(match.group())))
        elif kind in ("number", "cite", "math", "mark"):
            low = match.group() if kind in ("number", "mark") else kind
            if low == "&":
                yield Word("and", "and", match.start(), match.end(), "word")
            else:
                yield Word(low, low, match.start(), match.end(), kind)  # type: ignore[arg-type]


def stems_of(phrase: str) -> tuple[str, ...]:
    """The stems of a phrase, marks left out: what `Phrases` looks for."""
    return tuple(w.stem for w in words_of(phrase) if w.kind != "mark")


def listed(text: str) -> tuple[str, ...]:
    """The phrases of a text, separated by semicolons."""
    return tuple(" ".join(p.split()) for p in text.split(";") if p.strip())


@dataclass(frozen=True)
class Hit:
    """`phrases[phrase]` stands at `words[first : last + 1]`."""

    phrase: int
    first: int
    last: int


class Phrases:
    """Finds many phrases in a passage at once, by stems, ignoring hyphens and other marks between the words."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self.phrases = tuple(phrases)
        self._by_first: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for i, phrase in enumerate(phrases):
            stems = stems_of(phrase)
            if stems:
                self._by_first.setdefault(stems[0], []).append((i, stems))

    def find(self, words: Sequence[Word]) -> list[Hit]:
        """All hits in reading order; overlapping hits are all reported."""
        content = [(i, w.stem) for i, w in enumerate(words) if not (w.kind == "mark" and w.low in "-‐‑–/'’\"“”`()&*")]
        hits: list[Hit] = []
        for k, (index, stem) in enumerate(content):
            for phrase, stems in self._by_first.get(stem, ()):
                n = len(stems)
                if k + n <= len(content) and all(content[k + d][1] == stems[d] for d in range(1, n)):
                    hits.append(Hit(phrase, index, content[k + n - 1][0]))
        return hits
