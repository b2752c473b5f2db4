"""Reads Markdown: headings with # or underlined, equations in $$, \\[ \\] or ```math, pipe tables; code is kept as text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.autotrain.reading.hidden import notes_on
from agents.autotrain.reading.html_hidden import hides
from agents.autotrain.reading.pieces import Draft, Formula, Grid, Heading, Paragraph, Piece
from agents.clean import clean, decode, one_line, without_between

_ATX = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w{}.+-]*)")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r"^\s*\|?\s*:?-{1,}:?\s*(?:\|\s*:?-{1,}:?\s*)*\|?\s*$")
_DISPLAY = ((re.compile(r"^\s*\$\$"), re.compile(r"\$\$")), (re.compile(r"^\s*\\\["), re.compile(r"\\\]")))
_ENVIRONMENT = re.compile(r"^\s*\\begin\{((?:equation|align|gather|multline|eqnarray)\*?)\}")
_LABEL = re.compile(r"\\label\{([^{}]*)\}|\\tag\{([^{}]*)\}")
_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_CAPTION = re.compile(r"^\W*table\b", re.IGNORECASE)
_CODE = re.compile(r"(^ {0,3}(?:```|~~~).*?^ {0,3}(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
_UNSEEN = tuple(
    (re.compile(opening, re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (("<!--", "-->"), (r"<script\b", r"</script\s*>"), (r"<style\b", r"</style\s*>"))
)
_ELEMENT = re.compile(r"<([a-z][a-z0-9]*)\b([^<>]{0,1000})>", re.IGNORECASE)
_EMPTY = ("br", "hr", "img", "input", "wbr")
_LINK_DEFINITION = re.compile(
    r"^ {0,3}\[[^\[\]\n]{1,300}\]:[ \t]*(?:<[^<>\n]*>|\S+)(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$", re.MULTILINE
)
_INLINE = (
    (re.compile(r"!\[([^\[\]\n]{0,300})\]\([^()\s]{0,500}(?:\s+\"[^\"\n]{0,200}\")?\)"), r"\1"),
    (re.compile(r"\[([^\[\]\n]{1,300})\]\([^()\s]{0,500}(?:\s+\"[^\"\n]{0,200}\")?\)"), r"\1"),
    (re.compile(r"</?(?:b|i|em|strong|sub|sup|br|p|div|span|a|img|center|kbd|code)\b[^<>]*>", re.IGNORECASE), " "),
    (re.compile(r"(?<![\w\\$*])(\*{1,3})(?=\S)([^*$\n]+?)(?<=\S)\1(?![\w*])"), r"\2"),
    (re.compile(r"(?<![\w\\$_])(_{1,3})(?=\S)([^_$\n]+?)(?<=\S)\1(?![\w_])"), r"\2"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
)


def read_markdown(data: bytes) -> Draft:
    """The draft of a Markdown text. Its first heading of the highest level is the title when it stands alone on that level."""
    source = decode(data)
    text, words = _seen(clean(source))
    lines = text.split("\n")
    title, start = _front_matter(lines)
    pieces = _Reader(lines[start:]).read()
    if not title:
        title, pieces = _take_title(pieces)
    return Draft(title, tuple(_with_captions(pieces)), notes=notes_on(source, words))


def _seen(text: str) -> tuple[str, int]:
    """What a reader of the rendered text sees of it, and how many words that leaves out. Code is shown as it is written."""
    parts = _CODE.split(text)
    kept = [part if i % 2 else _without_hidden(part) for i, part in enumerate(parts)]
    return "".join(kept), sum(len(a.split()) - len(b.split()) for a, b in zip(parts, kept, strict=True))


def _without_hidden(text: str) -> str:
    """Without comments, scripts and styles, elements that hide what is in them, and definitions of links."""
    for opening, closing in _UNSEEN:
        text = without_between(text, opening, closing)
    kept, end = [], 0
    for element in _ELEMENT.finditer(text):
        if element.start() >= end and element[1].lower() not in _EMPTY and hides(element[2]):
            closed = re.compile(rf"</{element[1]}\s*>", re.IGNORECASE).search(text, element.end())
            kept.append(text[end : element.start()])
            end = closed.end() if closed else len(text)
    return _LINK_DEFINITION.sub("", "".join([*kept, text[end:]]))


def plain(text: str) -> str:
    """Text without Markdown's marks for emphasis, links and code; inline formulas are kept."""
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return one_line(text)


def _front_matter(lines: Sequence[str]) -> tuple[str, int]:
    """The title that a YAML block at the top names, and where the text begins."""
    if not lines or lines[0].strip() != "---":
        return "", 0
    end = next((i for i in range(1, min(len(lines), 200)) if lines[i].strip() in ("---", "...")), 0)
    named = (re.match(r"title:\s*(.+)", line) for line in lines[1:end])
    return next((match[1].strip().strip("\"'") for match in named if match), ""), end + 1 if end else 0


def _take_title(pieces: list[Piece]) -> tuple[str, list[Piece]]:
    first = next((p for p in pieces if isinstance(p, Heading)), None)
    levels = [p.level for p in pieces if isinstance(p, Heading)]
    if first is None or first.level != min(levels) or levels.count(first.level) > 1 or len(levels) == 1:
        return "", pieces
    rest = [p for p in pieces if p is not first]
    up = min(level for level in levels if level > first.level) - 1
    return first.title, [Heading(p.title, p.level - up) if isinstance(p, Heading) else p for p in rest]


def _with_captions(pieces: Sequence[Piece]) -> list[Piece]:
    """Tables with the paragraph "Table 1: ..." next to them as their caption."""
    found: list[Piece] = []
    for piece in pieces:
        before = found[-1] if found else None
        if isinstance(piece, Grid) and isinstance(before, Paragraph) and _CAPTION.match(before.text):
            found[-1] = Grid(before.text, piece.rows)
        elif isinstance(piece, Paragraph) and isinstance(before, Grid) and not before.caption and _CAPTION.match(piece.text):
            found[-1] = Grid(piece.text, before.rows)
        else:
            found.append(piece)
    return found


class _Reader:
    """Reads the lines once, block by block."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._pieces: list[Piece] = []
        self._text: list[str] = []

    def read(self) -> list[Piece]:
        i = 0
        while i < len(self._lines):
            i = self._block(i)
        self._flush()
        return self._pieces

    def _block(self, i: int) -> int:
        """Takes what begins at line `i` and returns the index of the line after it."""
        line = self._lines[i]
        if not line.strip():
            self._flush()
            return i + 1
        if fence := _FENCE.match(line):
            return self._code(i, fence[1], fence[2])
        if heading := _ATX.match(line):
            self._flush()
            self._pieces.append(Heading(plain(heading[2] or ""), len(heading[1])))
            return i + 1
        if self._text and (underline := _UNDERLINE.match(line)) and len(self._text) == 1:
            self._pieces.append(Heading(plain(self._text.pop()), 1 if underline[1][0] == "=" else 2))
            return i + 1
        for opening, closing in _DISPLAY:
            if opening.match(line):
                return self._display(i, opening, closing)
        if environment := _ENVIRONMENT.match(line):
            return self._display(i, _ENVIRONMENT, re.compile(r"\\end\{" + re.escape(environment[1]) + r"\}"))
        if "|" in line and i + 1 < len(self._lines) and "|" in self._lines[i + 1] and _RULE.match(self._lines[i + 1]):
            return self._table(i)
        if _LIST_ITEM.match(line):
            self._flush()
        self._text.append(re.sub(r"^\s*>\s?", "", line))
        return i + 1

    def _flush(self) -> None:
        if self._text and (text := plain("\n".join(self._text))):
            self._pieces.append(Paragraph(text))
        self._text = []

    def _code(self, start: int, fence: str, language: str) -> int:
        self._flush()
        end = start + 1
        while end < len(self._lines) and not self._lines[end].lstrip().startswith(fence):
            end += 1
        content = "\n".join(self._lines[start + 1 : end])
        self._pieces.append(_formula(content) if language in ("math", "latex", "tex") else Paragraph(content))
        return end + 1

    def _display(self, start: int, opening: re.Pattern[str], closing: re.Pattern[str]) -> int:
        """A displayed equation from its opening to its closing mark, or to the next blank line when that is missing."""
        self._flush()
        rest = opening.sub("", self._lines[start], count=1)
        parts: list[str] = []
        i = start
        while True:
            if end := closing.search(rest):
                parts.append(rest[: end.start()])
                if after := rest[end.end() :].strip(" ."):
                    self._text.append(after)
                break
            parts.append(rest)
            i += 1
            if i >= len(self._lines) or not self._lines[i].strip():
                break
            rest = self._lines[i]
        self._pieces.append(_formula("\n".join(parts)))
        return i + 1

    def _table(self, start: int) -> int:
        self._flush()
        rows = [_cells(self._lines[start])]
        i = start + 2
        while i < len(self._lines) and "|" in self._lines[i] and self._lines[i].strip():
            rows.append(_cells(self._lines[i]))
            i += 1
        self._pieces.append(Grid("", tuple(rows)))
        return i


def _formula(content: str) -> Formula:
    label = _LABEL.search(content)
    return Formula(_LABEL.sub("", content), (label[1] or label[2] or "") if label else "")


def _cells(line: str) -> tuple[str, ...]:
    parts = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
    return tuple(plain(part.replace("\\|", "|")) for part in parts)
