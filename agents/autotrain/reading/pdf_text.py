"""The words of a PDF's line as text: spaces where there are gaps, sub- and superscripts as "x_{i}" and "x^{2}"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from agents.autotrain.reading.pdf_fonts import BIG_OPERATORS
from agents.autotrain.reading.pdf_word import SCRIPT_RATIO, Word

SPACE = 0.14  # of the type size; a narrower gap does not part words
CLEAR_SHIFT = 0.12  # of the base's size; less does not tell raised from lowered
_COMBINING = {
    "¨": "\u0308",
    "´": "\u0301",
    "`": "\u0300",
    "ˆ": "\u0302",
    "˜": "\u0303",
    "¯": "\u0304",
    "ˇ": "\u030c",
    "˙": "\u0307",
}
_ACCENT = re.compile("([A-Za-z])([" + "".join(_COMBINING) + "])")
FOOTNOTE_MARKS = frozenset("∗*†‡§¶")


def is_operator(word: Word) -> bool:
    """Whether it is a sum, product, integral or the like."""
    return word.text in BIG_OPERATORS


def is_limit(word: Word, operator: Word) -> bool:
    """Whether the word is part of the limits above or below a large operator."""
    centre, size = (word.x0 + word.x1) / 2, operator.size
    away = abs(word.middle - operator.middle)
    reach = 1.8 * size if away > 0.75 * size else 0.6 * size  # wide limits stand clear above and below
    near = operator.x0 - reach <= centre <= operator.x1 + (reach if away > 0.75 * size else 0.2 * size)
    return near and word.size < SCRIPT_RATIO * size and away < 1.6 * size


def limits_of(words: Sequence[Word], operators: Sequence[Word]) -> dict[int, Word]:
    """The operator that each word (by its id) is a limit of; words set close together are limits of one operator."""
    found: dict[int, Word] = {}
    candidates = [w for w in words if any(w is not op and is_limit(w, op) for op in operators)]
    for side in (True, False):
        one_side = sorted((w for w in candidates if _is_below(w, operators) is side), key=lambda w: w.x0)
        for run in _limit_runs(one_side, 0.2 * operators[0].size if operators else 0.0):
            centre = min(w.x0 for w in run) + max(w.x1 for w in run)
            owner = min(operators, key=lambda op: abs(op.x0 + op.x1 - centre))
            found |= {id(w): owner for w in run}
    return found


def _limit_runs(words: Sequence[Word], gap: float) -> list[list[Word]]:
    """Words of one height without gaps; where "i=1j=2" runs together, a new run begins before the second "="."""
    runs: list[list[Word]] = []
    for word in words:
        if not runs or word.x0 - max(w.x1 for w in runs[-1]) > gap:
            runs.append([word])
            continue
        run = runs[-1]
        if word.text.startswith("=") and any(w.text.startswith("=") for w in run):
            start = len(run) - 1
            while start > 0 and run[start].size < SCRIPT_RATIO * word.size:
                start -= 1  # past the subscripts of the variable
            runs.append(run[start:])
            del run[start:]
        runs[-1].append(word)
    return [run for run in runs if run]


def _is_below(word: Word, operators: Sequence[Word]) -> bool:
    return word.middle > min(operators, key=lambda op: abs(op.x0 + op.x1 - word.x0 - word.x1)).middle


def line_text(words: Sequence[Word]) -> str:
    """One line as text, each base with its lowered words, then its raised ones. Footnote marks are left out."""
    parts: list[str] = []
    last: Word | None = None
    for base, scripts in _with_scripts(words):
        apart = last is not None and base.x0 - last.x1 > SPACE * max(base.size, last.size * SCRIPT_RATIO)
        parts.append((" " if apart else "") + base.text)
        lowered, raised = _sorted_scripts(base, scripts)
        if lowered:
            parts.append(_script("_", lowered))
        if raised and not _is_footnote_mark(base, raised):
            parts.append(_script("^", raised))
        last = max([base, *scripts], key=lambda w: w.x1)
    return _with_accents("".join(parts).strip())


def _with_accents(text: str) -> str:
    """Accents that the PDF prints apart set on their letters: "u¨" is "ü" and "yˆ" is "ŷ"."""
    return _ACCENT.sub(lambda m: unicodedata.normalize("NFC", m[1] + _COMBINING[m[2]]), text)


def _with_scripts(words: Sequence[Word]) -> list[tuple[Word, list[Word]]]:
    """Each word of the line proper, left to right, with the smaller words that hang on it."""
    ordered = sorted(words, key=lambda w: (w.x0, w.baseline))
    size = max(w.size for w in ordered) if ordered else 0.0
    grouped: list[tuple[Word, list[Word]]] = []
    early: list[Word] = []  # limits that begin left of their operator
    operators = [w for w in ordered if is_operator(w) and w.size > SCRIPT_RATIO * size]
    owners = limits_of(ordered, operators) if operators else {}
    for word in ordered:
        owner = owners.get(id(word))
        if owner is not None and not any(base is owner for base, _ in grouped):
            early.append(word)
        elif owner is not None:
            next(scripts for base, scripts in grouped if base is owner).append(word)
        elif grouped and _hangs_on(word, grouped[-1]):
            grouped[-1][1].append(word)
        else:
            grouped.append((word, [w for w in early if owners.get(id(w)) is word]))
            early = [w for w in early if w not in grouped[-1][1]]
    return grouped


def _hangs_on(word: Word, group: tuple[Word, list[Word]]) -> bool:
    """Whether the word is a script of the group's base: smaller, close behind, and raised or lowered or following one that is."""
    base, scripts = group
    end = max(w.x1 for w in [base, *scripts])
    if word.size > SCRIPT_RATIO * base.size or word.x0 - end > 0.5 * base.size:
        return False
    return bool(scripts) or abs(word.baseline - base.baseline) > CLEAR_SHIFT * base.size


def _sorted_scripts(base: Word, scripts: Sequence[Word]) -> tuple[list[Word], list[Word]]:
    """The lowered and the raised words; one set on the axis goes with its neighbour to the left."""
    lowered: list[Word] = []
    raised: list[Word] = []
    side = lowered
    for word in sorted(scripts, key=lambda w: w.x0):
        shift = (word.middle - base.middle) / base.size
        if abs(shift) > CLEAR_SHIFT:
            side = lowered if shift > 0 else raised
        side.append(word)
    return lowered, raised


def _script(mark: str, words: Sequence[Word]) -> str:
    text = words[0].text
    for before, word in pairwise(words):
        worded = word.text[:1].isalpha() and before.text[-1:].isalpha()
        second = "_" if word.size < SCRIPT_RATIO * before.size and word.baseline > before.baseline + 0.5 else ""
        apart = worded and word.x0 - before.x1 > 0.2 * word.size
        text += second + (" " if apart else "") + word.text
    return mark + (text if len(text) == 1 else "{" + text + "}")


def _is_footnote_mark(base: Word, raised: Sequence[Word]) -> bool:
    """Digits or signs raised behind a word of prose."""
    text = "".join(w.text for w in raised)
    if all(c in FOOTNOTE_MARKS for c in text):
        return True
    return len(base.text) >= 4 and base.text[-1] not in ")]}0123456789" and all(c.isdigit() or c in ",∗*†‡§" for c in text)
